"""Waiting for signals where a seccomp filter forbids rt_sigtimedwait or signalfd: signal.set_wakeup_fd.

Signals then arrive in handlers. This path loses everything but the signal number (no si_code, no sender), and its pipe
holds 65,536 signals (a socket pair only 278), fewer than the kernel may queue (RLIMIT_SIGPENDING).
"""

from __future__ import annotations

import os
import signal
from types import FrameType

from pyinit import fds, signals
from pyinit.signal_wait import Received, Watches, is_pending

# For a signal's sender.
UNKNOWN = -1


class WakeupWait:
    """Waits for signals, and for descriptors that can be read.

    Signals are unblocked only around poll(2). CPython's own handler writes a byte to the pipe for each signal, in
    order. If the pipe is full, `_seen`, which the handlers here fill, still tells which signals came. Raises OSError if
    there is no pipe.
    """

    __slots__ = ("_queue", "_reader", "_seen", "watches")

    def __init__(self, watches: Watches) -> None:
        pipe = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._reader, writer = (fds.dup_above_stderr(end) for end in pipe)
        self._queue = bytearray()
        self._seen: set[int] = set()
        self.watches = watches
        self.watches.add(self._reader, self._drain)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in signals.ALL - {signals.KILL, signals.STOP}:
            signal.signal(number, self._see)

    def _see(self, number: int, _: FrameType | None) -> None:
        self._seen.add(number)

    def wait(self, passed_over: int, seconds: float | None) -> Received | None:
        """Return the next signal, but none of `passed_over`; None after `seconds`, or when a callback has run."""
        received = self._taken(passed_over)
        if received is None:
            self._poll(seconds)
            received = self._taken(passed_over)
        return received

    def wait_and_reap(self, *_: int) -> Received | None:
        """Return the next signal, whenever it comes, or None when a callback has run. Children are not reaped here."""
        return self.wait(0, None)

    def is_pending(self, number: int) -> bool:
        """Return True if a signal has arrived and was not taken yet."""
        return number in self._queue or is_pending(number)

    def _poll(self, seconds: float | None) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals.ALL)
        try:
            ready = self.watches.poll(seconds)
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, signals.ALL)
        # Before the callbacks: a signal may have come after poll had looked.
        self._drain()
        self.watches.run_callbacks(ready)

    def _drain(self) -> None:
        arrived = bytearray()
        try:
            while part := os.read(self._reader, 65536):
                arrived += part
        except BlockingIOError:
            pass
        self._seen.difference_update(arrived)
        self._queue += arrived
        self._queue += bytes(sorted(self._seen))
        self._seen.clear()

    def _taken(self, passed_over: int) -> Received | None:
        for place, number in enumerate(self._queue):
            if not passed_over & signals.bit(number):
                del self._queue[place]
                return number, 0, UNKNOWN
        return None
