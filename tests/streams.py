"""Reads what a program writes to a pipe or a terminal, and waits for what is expected there."""

from __future__ import annotations

import contextlib
import os

from tests.commands import Word
from tests.waiting import PATIENCE, NotInTimeError, until


class Stream:
    """The reading end of a pipe or a terminal; everything ever read is kept."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._read = bytearray()
        self._expected = 0

    @property
    def text(self) -> str:
        """All that has come so far; bytes that are no UTF-8 as surrogates (os.fsencode)."""
        self.read()
        return os.fsdecode(bytes(self._read))

    def expect(self, text: Word, timeout: float = PATIENCE) -> str:
        """Wait for a text after the last one expected; return what came up to its end."""
        wanted = os.fsencode(text)

        def found() -> int:
            self.read()
            position = self._read.find(wanted, self._expected)
            return position + len(wanted) if position >= 0 else 0

        try:
            end = until(found, f"{text!r}", timeout)
        except NotInTimeError as failed:
            rest = bytes(self._read[self._expected :])
            raise NotInTimeError(f"{failed}; there was {os.fsdecode(rest)!r}") from None
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
        # EIO is a terminal's way to say that nobody has it open any more.
        with contextlib.suppress(BlockingIOError, OSError):
            while self._descriptor >= 0 and (piece := os.read(self._descriptor, 65536)):
                self._read += piece
