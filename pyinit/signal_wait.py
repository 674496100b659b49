"""The wait itself: the next signal, until a deadline, or a descriptor that has something to read.

`SignalWait` is for an init that has only signals to wait for, which is most: sigwaitinfo(2), no timer, no polling.
`DescriptorWait` is for one that watches descriptors too; `wakeup.WakeupWait` stands in where signals may not be waited
for. All signals stay blocked in the first two, so that each is pending until it is taken, with all that is known of it.
"""

from __future__ import annotations

import select
import signal
from collections.abc import Callable

from pyinit import fds, native

# poll(2) takes milliseconds; a deadline must not be met early.
MILLISECONDS = 1000.0
# As many as its int holds, 24.8 days; whoever waits longer looks again.
LONGEST = 2**31 - 1

# A signal's number, its si_code, and its sender's pid, -1 where that is not known (sigaction(2)).
Received = tuple[int, int, int]


def is_pending(number: int) -> bool:
    """Whether a signal has come and was not handed out yet."""
    return number in signal.sigpending()


class SignalWait:
    """Waits for signals alone."""

    __slots__ = ()

    # The methods are native's functions themselves: a frame of Python's for each signal would be felt.
    wait = staticmethod(native.wait_signal)
    rest = staticmethod(native.wait_and_reap)
    holds = staticmethod(is_pending)


class Watches:
    """Descriptors that are watched with poll(2), and what is called when they can be read."""

    __slots__ = ("_called", "_poll")

    def __init__(self) -> None:
        self._called: dict[int, Callable[[], object]] = {}
        self._poll = select.poll()

    def add(self, descriptor: int, callback: Callable[[], object]) -> None:
        """From now on `callback` is called when the descriptor can be read."""
        self._called[descriptor] = callback
        self._poll.register(descriptor, select.POLLIN)

    def remove(self, descriptor: int) -> None:
        """The descriptor is watched no more; it is the caller's to close."""
        del self._called[descriptor]
        self._poll.unregister(descriptor)

    def poll(self, seconds: float | None) -> list[tuple[int, int]]:
        """Those that can be read, as soon as there are some, a signal comes, or so many seconds have passed."""
        return self._poll.poll(None if seconds is None else min(int(seconds * MILLISECONDS + 0.999), LONGEST))

    def serve(self, ready: list[tuple[int, int]]) -> None:
        """Calls what is to be called for these."""
        for descriptor, _ in ready:
            # A callback may have stopped the watch of one that was ready too.
            callback = self._called.get(descriptor)
            if callback:
                callback()


class DescriptorWait:
    """Waits for signals and for descriptors that can be read.

    That signals are pending is one of the things that poll(2) tells, of a signalfd(2); they are taken as by SignalWait.
    Raises OSError where the kernel has none to give.
    """

    __slots__ = ("watches",)

    holds = staticmethod(is_pending)

    def __init__(self) -> None:
        self.watches = Watches()
        self.watches.add(fds.above_standard(native.signal_descriptor()), _nothing)

    def wait(self, passed_over: int, seconds: float | None) -> Received | None:
        """The next signal but those passed over; None after so many seconds, or when a descriptor was served."""
        self.watches.serve(self.watches.poll(seconds))
        return native.wait_signal(passed_over, 0.0)

    def rest(self, *_: int) -> Received | None:
        """The next signal, whenever it comes; None when a descriptor was served."""
        return self.wait(0, None)


def _nothing() -> None:
    """What the descriptor of signals has to say is said by its being ready."""
