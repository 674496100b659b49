"""The event loop: wait, then reap or forward or meet a deadline, until an exit code is known."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyinit import signals
from pyinit.exit_codes import Failure
from pyinit.reaper import AT_MOST, HOW, REFUSALS
from pyinit.signal_wait import DescriptorWait, Received, SignalWait, Watches
from pyinit.signal_wait_fallback import WakeupWait

# Seconds: a payload that ends at once has ended by then.
SOON = 0.001
# For a payload's pid, where there is no payload.
NONE = -1
# After so many signals in a row all others that are pending get a turn. The kernel hands out signals to the thread
# (tgkill) before those to the process, such as SIGCHLD, and the lowest number first (dequeue_signal, kernel/signal.c):
# whoever sends them faster than init takes them would hide all others.
TURNS = 16
CHLD = signals.bit(signals.CHLD)


class Timer:
    """Something to be done at a time of the monotonic clock, in seconds."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback


class Loop:
    """Runs until `finish` is called.

    `reap` is called when children may have changed and returns whether there may be more of them; `handle` gets every
    signal but SIGCHLD, with its si_code and its sender. `payload` is the payload's pid, or NONE, as long as nobody
    wants to know of other children that end, otherwise 0.
    """

    __slots__ = ("_code", "_errand", "_handle", "_reap", "_refusals", "_timers", "_wait", "payload")

    def __init__(self, reap: Callable[[], bool], handle: Callable[[int, int, int], None]) -> None:
        self._reap = reap
        self._handle = handle
        self.payload = 0
        self._code: int | None = None
        self._refusals = 0
        self._errand: Callable[[], None] | None = None
        self._timers: list[Timer] = []
        self._wait: SignalWait | DescriptorWait | WakeupWait = SignalWait()

    def run(self) -> int:
        """The exit code, 0 to 255, once it is known. Raises Failure when there is no way to wait for signals."""
        # Signals that others have their turn before; CHLD is among them as long as there may be more children to reap.
        # Zombies inherited through exec raise no signal: look once without one.
        passed_over = CHLD if self._reap() else 0
        turns = 0
        while self._code is None:
            received = self._next(passed_over)
            if received is None:
                # No other is pending.
                passed_over = CHLD if passed_over and self._reap() else 0
                turns = 0
            else:
                number = received[0]
                turns += 1
                if number != signals.CHLD:
                    self._handle(*received)
                elif self._reap():
                    passed_over |= CHLD
                if turns >= TURNS:
                    passed_over |= signals.bit(number)
            if self._errand and not passed_over and self._code is None:
                errand, self._errand = self._errand, None
                errand()
            if self._timers and self._code is None:
                self._meet_deadlines()
        return self._code

    def holds(self, number: int) -> bool:
        """Whether a signal has come that `handle` did not get yet."""
        return self._wait.holds(number)

    def finish(self, code: int) -> None:
        """Ends the loop, with this exit code."""
        if self._code is None:
            self._code = code

    def soon(self, errand: Callable[[], None]) -> None:
        """Calls `errand` once: when the first that comes is done, or nothing has come for a moment."""
        self._errand = errand

    def after(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Calls `callback` once, `seconds` from now."""
        timer = Timer(time.monotonic() + seconds, callback)
        self._timers.append(timer)
        return timer

    def cancel(self, timer: Timer) -> None:
        """The timer's time does not come; nothing happens if it has come already."""
        if timer in self._timers:
            self._timers.remove(timer)

    def watch(self, descriptor: int, callback: Callable[[], object]) -> None:
        """Calls `callback` whenever the descriptor can be read. Raises OSError where there is no way to do so."""
        if isinstance(self._wait, SignalWait):
            try:
                self._wait = DescriptorWait()
            except OSError:
                self._wait = WakeupWait(Watches())
        self._wait.watches.add(descriptor, callback)

    def unwatch(self, descriptor: int) -> None:
        """Ends a watch. The descriptor is the caller's to close."""
        if not isinstance(self._wait, SignalWait):
            self._wait.watches.remove(descriptor)

    def _next(self, passed_over: int) -> Received | None:
        """The next signal; with signals to be passed over (as of signals.bit) another, and only if it has come."""
        try:
            if passed_over:
                received = self._wait.wait(passed_over, 0.0)
            elif self._errand:
                received = self._wait.wait(0, SOON)
            elif self._timers:
                received = self._wait.wait(0, self._patience())
            else:
                received = self._wait.rest(HOW, self.payload, AT_MOST, TURNS)
        except OSError as error:
            self._refusals += 1
            if self._refusals > REFUSALS:
                raise Failure(f"signals cannot be waited for: {error.strerror}") from None
            self._wait_otherwise()
            return None
        self._refusals = 0
        return received

    def _wait_otherwise(self) -> None:
        """A seccomp profile may forbid rt_sigtimedwait: poll does as well, unless that or its pipe are refused too."""
        try:
            if isinstance(self._wait, SignalWait):
                self._wait = WakeupWait(Watches())
            elif isinstance(self._wait, DescriptorWait):
                self._wait = WakeupWait(self._wait.watches)
        except OSError:
            pass

    def _patience(self) -> float:
        return max(0.0, min(each.when for each in self._timers) - time.monotonic())

    def _meet_deadlines(self) -> None:
        now = time.monotonic()
        for timer in [each for each in self._timers if each.when <= now]:
            # An earlier callback may have cancelled a later timer.
            if timer in self._timers:
                self._timers.remove(timer)
                timer.callback()
