"""Waiting where signals may not be waited for: a seccomp profile forbids rt_sigtimedwait, or signalfd.

They come to handlers then, as signal.set_wakeup_fd has it. What is known of a signal besides its number is lost on
this way, and its pipe holds 65,536 of them (a socket pair only 278), fewer than may be queued (RLIMIT_SIGPENDING).
"""

from __future__ import annotations

import os
import signal
from types import FrameType

from pyinit import fds, signals
from pyinit.signal_wait import Received, Watches, is_pending

# The sender is not known.
NOBODY = -1


class WakeupWait:
    """Waits for signals and for descriptors that can be read.

    The mask is opened only around poll. Handlers do nothing but note the number: the bytes that CPython's own handler
    writes to the pipe are the truth, one for each signal, in order; should it overflow, the notes still say which came.
    Raises OSError where there is no pipe.
    """

    __slots__ = ("_noted", "_queue", "_reader", "watches")

    def __init__(self, watches: Watches) -> None:
        pipe = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._reader, writer = (fds.above_standard(each) for each in pipe)
        self._queue = bytearray()
        self._noted: set[int] = set()
        self.watches = watches
        self.watches.add(self._reader, self._drain)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in signals.ALL - {signals.KILL, signals.STOP}:
            signal.signal(number, self._note)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._noted.add(number)

    def wait(self, passed_over: int, seconds: float | None) -> Received | None:
        """The next signal but those passed over; None after so many seconds, or when a descriptor was served."""
        received = self._taken(passed_over)
        if received is None:
            self._listen(seconds)
            received = self._taken(passed_over)
        return received

    def rest(self, *_: int) -> Received | None:
        """The next signal, whenever it comes; None when a descriptor was served."""
        return self.wait(0, None)

    def holds(self, number: int) -> bool:
        """Whether a signal has come and was not handed out yet."""
        return number in self._queue or is_pending(number)

    def _listen(self, seconds: float | None) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals.ALL)
        try:
            ready = self.watches.poll(seconds)
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, signals.ALL)
        # First of all: a signal may have come after poll had looked.
        self._drain()
        self.watches.serve(ready)

    def _drain(self) -> None:
        arrived = bytearray()
        try:
            while part := os.read(self._reader, 65536):
                arrived += part
        except BlockingIOError:
            pass
        self._noted.difference_update(arrived)
        self._queue += arrived
        self._queue += bytes(sorted(self._noted))
        self._noted.clear()

    def _taken(self, passed_over: int) -> Received | None:
        for place, number in enumerate(self._queue):
            if not passed_over & signals.bit(number):
                del self._queue[place]
                return number, 0, NOBODY
        return None
