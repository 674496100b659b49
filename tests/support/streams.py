"""Reads what a program writes to a pipe or a terminal, and waits for what is expected there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from tests.support.commands import Word
from tests.support.polling import PATIENCE, NotInTimeError, until


class Stream:
    """The reading end of a pipe or a terminal; everything ever read is kept."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._read = bytearray()
        self._expected = 0
        self._is_over = False

    @property
    def text(self) -> str:
        """Return all that has come so far; bytes that are no UTF-8 as surrogates (os.fsencode)."""
        self.read()
        return os.fsdecode(bytes(self._read))

    def expect(self, text: Word, timeout: float = PATIENCE, ended: Callable[[], bool] = lambda: False) -> str:
        """Wait for a text after the last one expected; return what came up to its end.

        `ended` is whether the writer has: when nobody else has the other end either, nothing more can come.
        """
        wanted = os.fsencode(text)

        def found() -> int:
            self.read()
            position = self._read.find(wanted, self._expected)
            if position < 0 and self._is_over and ended():
                raise NotInTimeError(f"ended before there was {text!r}; there was {self._rest()!r}")
            return position + len(wanted) if position >= 0 else 0

        end = until(found, lambda: f"{text!r}; there was {self._rest()!r}", timeout)
        passed = bytes(self._read[self._expected : end])
        self._expected = end
        return os.fsdecode(passed)

    def close(self) -> None:
        """Take what is there, then close; may be called again."""
        self.read()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def read(self) -> None:
        """Take what is there, without waiting."""
        while self._descriptor >= 0 and (piece := self._piece()):
            self._read += piece

    def _piece(self) -> bytes:
        try:
            piece = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return b""
        except OSError as error:
            # A terminal's way to say that nobody has it open any more.
            if error.errno != errno.EIO:
                raise
            piece = b""
        self._is_over = not piece
        return piece

    def _rest(self) -> str:
        return os.fsdecode(bytes(self._read[self._expected :]))
