"""The wait itself: for the next signal, until a deadline, or until a file descriptor can be read.

Most inits wait for signals alone: `SignalWait`, sigwaitinfo(2), with no timer and no polling. Only an init that watches
descriptors needs `DescriptorWait`, poll(2) with a signalfd(2); it would cost every other one two more system calls for
each signal. In both all signals stay blocked, so each is pending until it is taken, with its sender and its si_code.
`signal_wait_fallback.WakeupWait` is for the container whose seccomp filter forbids one of these calls.
"""

from __future__ import annotations

import select
import signal
from collections.abc import Callable

from pyinit import fds, native

# poll(2) takes milliseconds; a deadline must not be met early.
MILLISECONDS = 1000.0
# poll(2) takes an int, so 24.8 days; the loop then waits again.
LONGEST = 2**31 - 1

# A signal's number, its si_code, and its sender's pid, -1 if that is not known (sigaction(2)). A plain tuple, as C
# returns it: one is made for each signal.
Received = tuple[int, int, int]


def is_pending(number: int) -> bool:
    """Return True if a signal has arrived and was not taken yet."""
    return number in signal.sigpending()


class SignalWait:
    """Waits for signals alone."""

    __slots__ = ()

    # The native functions themselves: a Python frame for each signal would be measurable.
    wait = staticmethod(native.wait_signal)
    wait_and_reap = staticmethod(native.wait_and_reap)
    is_pending = staticmethod(is_pending)


class Watches:
    """Descriptors that are watched with poll(2), and the callbacks for those that can be read."""

    __slots__ = ("_callbacks", "_poll")

    def __init__(self) -> None:
        self._callbacks: dict[int, Callable[[], object]] = {}
        self._poll = select.poll()

    def add(self, descriptor: int, callback: Callable[[], object]) -> None:
        """Run `callback` whenever the descriptor can be read."""
        self._callbacks[descriptor] = callback
        self._poll.register(descriptor, select.POLLIN)

    def remove(self, descriptor: int) -> None:
        """Watch a descriptor no more. The caller closes it."""
        del self._callbacks[descriptor]
        self._poll.unregister(descriptor)

    def poll(self, seconds: float | None) -> list[tuple[int, int]]:
        """Wait until a descriptor can be read, a signal comes, or `seconds` are over; return what can be read."""
        return self._poll.poll(None if seconds is None else min(int(seconds * MILLISECONDS + 0.999), LONGEST))

    def run_callbacks(self, ready: list[tuple[int, int]]) -> None:
        """Run the callbacks of these descriptors."""
        for descriptor, _ in ready:
            # An earlier callback may have stopped the watch of a later descriptor.
            callback = self._callbacks.get(descriptor)
            if callback:
                callback()


class DescriptorWait:
    """Waits for signals, and for descriptors that can be read.

    A signalfd(2) tells poll(2) that signals are pending; they are taken as by SignalWait. Raises OSError if the kernel
    has no signalfd.
    """

    __slots__ = ("watches",)

    is_pending = staticmethod(is_pending)

    def __init__(self) -> None:
        self.watches = Watches()
        self.watches.add(fds.dup_above_stderr(native.signal_descriptor()), _read_nothing)

    def wait(self, passed_over: int, seconds: float | None) -> Received | None:
        """Return the next signal, but none of `passed_over`; None after `seconds`, or when a callback has run."""
        self.watches.run_callbacks(self.watches.poll(seconds))
        return native.wait_signal(passed_over, 0.0)

    def wait_and_reap(self, *_: int) -> Received | None:
        """Return the next signal, whenever it comes, or None when a callback has run. Children are not reaped here."""
        return self.wait(0, None)


def _read_nothing() -> None:
    """Do nothing: the signalfd being readable is the message; `wait_signal` fetches the signal."""
