"""Payloads that leave processes behind (payloads/leave.c), and a look at what becomes of those."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import Word, payload
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.types import Start

CODE = 7  # what the payload ends with
LONG = "60"  # seconds that no test waits

# KILL has no effect then, as on a process in uninterruptible sleep: none of init's gets through.
WITHOUT_EFFECT = ("kill", "pidfd_send_signal")


def immortal(trace: Path) -> list[str]:
    """Return the command under which init's signals have no effect; it writes what init waits for to `trace`."""
    faked = [word for call in WITHOUT_EFFECT for word in ("-e", f"inject={call}:retval=0")]
    return ["strace", "-qq", "-o", str(trace), "-e", f"trace=rt_sigtimedwait,{','.join(WITHOUT_EFFECT)}", *faked]


class Leaving:
    """A started init whose payload leaves processes behind. Times are those of the monotonic clock, in seconds."""

    def __init__(self, start: Start, options: Sequence[Word], kinds: Sequence[str], **how: Any) -> None:
        self.init: Init = start(*options, "--", *payload("leave", *kinds), **how)
        self.init.expect("ready\n")
        self.payload = until(self._find_payload, "the payload that leaves them")
        self.left = procfs.descendants(self.payload)
        self.ended_at = 0.0
        self._said: dict[str, int] = {}

    def _find_payload(self) -> int:
        # Parents come first: the others are its copies.
        below = procfs.descendants(self.init.pid)
        return next((pid for pid in below if "leave" in "".join(procfs.command(pid)[:1])), 0)

    def end(self, number: int = signal.SIGUSR1) -> Leaving:
        """End the payload alone, and wait until the init has reaped it."""
        self.ended_at = time.monotonic()
        os.kill(self.payload, number)
        until(lambda: not procfs.state(self.payload), "the payload reaped")
        return self

    def wait(self) -> float:
        """Wait for the init's end with the payload's code; how long that took after the payload's."""
        code = self.init.wait().code
        took = time.monotonic() - self.ended_at
        assert code == CODE, self.init.stderr
        for text, times in self._said.items():
            assert self._count(text) == times, self.init.stdout
        return took

    def says(self, text: str, times: int) -> None:
        """Wait until standard output has a line this many times; check now and at the end that it is not more."""
        until(lambda: self._count(text) >= times, f"{times} times {text!r}")
        assert self._count(text) == times, self.init.stdout
        self._said[text] = times

    def _count(self, text: str) -> int:
        return self.init.stdout.split("\n").count(text)

    def gone(self) -> None:
        """Check that no process has outlived the init."""
        assert [pid for pid in self.left if procfs.alive(pid)] == []

    @contextmanager
    def surviving(self) -> Iterator[list[int]]:
        """Yield the processes that have outlived the init, and kill them afterwards."""
        try:
            yield [pid for pid in self.left if procfs.alive(pid)]
        finally:
            for pid in self.left:
                kill(pid)
