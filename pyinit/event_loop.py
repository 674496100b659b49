"""The event loop: wait, then reap, handle a signal or meet a deadline, until an exit code is known."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyinit import signals
from pyinit.exit_codes import Failure
from pyinit.reaper import BATCH, MAX_REFUSALS, WAIT_FLAGS, Reaper
from pyinit.signal_wait import DescriptorWait, Received, SignalWait, Watches
from pyinit.signal_wait_fallback import WakeupWait

# Seconds. A payload as short as `true` has exited by then, so its run never pays for the deferred work.
STARTUP_QUIET_SECONDS = 0.001
# After so many signals in a row, others that are pending get a turn. The kernel hands out signals to the thread
# (tgkill) before those to the process, such as SIGCHLD, and the lowest number first (dequeue_signal, kernel/signal.c):
# a process that sends them faster than init takes them would hide all others.
MAX_IN_A_ROW = 16
# Seconds. One signal may take long: with -a, a subreaper reads all of /proc for each, and so does an init whose payload
# has exited. After so long in a row, urgent signals (stop signals and CHLD) get a turn before all others.
MAX_SECONDS_IN_A_ROW = 0.02
CHLD = signals.bit(signals.CHLD)
EVERY_SIGNAL = 2**signals.RTMAX - 1


class Timer:
    """A callback, and when it is due: seconds of the monotonic clock."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback


class EventLoop:
    """Runs until `finish` is called.

    `reap` is called when children may have changed, and returns True if there may be more of them. `handle` gets every
    signal but SIGCHLD, with its si_code and its sender's pid. `reaper` knows which exits are to be reported at all.
    `stop_signals` are those that must not wait for others that take long.
    """

    __slots__ = (
        "_code",
        "_handle",
        "_idle_callback",
        "_not_urgent",
        "_reap",
        "_reaper",
        "_refusals",
        "_timers",
        "_wait",
    )

    def __init__(
        self,
        reaper: Reaper,
        reap: Callable[[], bool],
        handle: Callable[[int, int, int], None],
        stop_signals: frozenset[int],
    ) -> None:
        self._reaper = reaper
        self._not_urgent = EVERY_SIGNAL & ~CHLD
        for number in stop_signals:
            self._not_urgent &= ~signals.bit(number)
        self._reap = reap
        self._handle = handle
        self._code: int | None = None
        self._refusals = 0
        self._idle_callback: Callable[[], None] | None = None
        self._timers: list[Timer] = []
        self._wait: SignalWait | DescriptorWait | WakeupWait = SignalWait()

    def run(self) -> int:
        """Run; return the exit code, 0 to 255. Raises Failure if there is no way to wait for signals."""
        # The signals that wait for others to have their turn, as bits; CHLD is among them as long as there may be more
        # children to reap. Zombies that were inherited through exec raise no signal: reap once without one.
        passed_over = CHLD if self._reap() else 0
        in_a_row = 0
        # Bits of the signals that wait while urgent ones have their turn; 0 at other times.
        held = 0
        spent = 0.0
        while self._code is None:
            received = self._next(passed_over | held)
            begin = time.monotonic()
            if received is None:
                more = CHLD if passed_over and self._reap() else 0
                if held:
                    # No urgent signal is pending: go on with the others, where they were.
                    passed_over = passed_over & ~CHLD | more
                    held = 0
                else:
                    # No other signal is pending.
                    passed_over = more
                    in_a_row = 0
                spent = 0.0
            else:
                number = received[0]
                in_a_row += 1
                if number != signals.CHLD:
                    self._handle(*received)
                elif self._reap():
                    passed_over |= CHLD
                if held:
                    held |= signals.bit(number)
                elif in_a_row >= MAX_IN_A_ROW:
                    passed_over |= signals.bit(number)
                spent += time.monotonic() - begin
                if spent > MAX_SECONDS_IN_A_ROW:
                    held |= self._not_urgent
            if self._idle_callback and not passed_over and self._code is None:
                callback, self._idle_callback = self._idle_callback, None
                callback()
            if self._timers and self._code is None:
                self._meet_deadlines()
        return self._code

    def is_pending(self, number: int) -> bool:
        """Return True if a signal has arrived that `handle` did not get yet."""
        return self._wait.is_pending(number)

    def finish(self, code: int) -> None:
        """Have `run` return this exit code; only the first call counts."""
        if self._code is None:
            self._code = code

    def call_when_idle(self, callback: Callable[[], None]) -> None:
        """Run `callback` once, after the first event has been handled or STARTUP_QUIET_SECONDS without one."""
        self._idle_callback = callback

    def after(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` once, `seconds` from now."""
        timer = Timer(time.monotonic() + seconds, callback)
        self._timers.append(timer)
        return timer

    def cancel(self, timer: Timer) -> None:
        """Do not run the timer's callback. Nothing happens if it has run already."""
        if timer in self._timers:
            self._timers.remove(timer)

    def watch(self, descriptor: int, callback: Callable[[], object]) -> None:
        """Run `callback` whenever the descriptor can be read. Raises OSError if it cannot be watched."""
        if isinstance(self._wait, SignalWait):
            try:
                self._wait = DescriptorWait()
            except OSError:
                self._wait = WakeupWait(Watches())
        self._wait.watches.add(descriptor, callback)

    def unwatch(self, descriptor: int) -> None:
        """Watch a descriptor no more. The caller closes it."""
        if not isinstance(self._wait, SignalWait):
            self._wait.watches.remove(descriptor)

    def _next(self, passed_over: int) -> Received | None:
        """Return the next signal. If some are passed over (bits), do not wait for another."""
        try:
            if passed_over:
                received = self._wait.wait(passed_over, 0.0)
            elif self._idle_callback:
                received = self._wait.wait(0, STARTUP_QUIET_SECONDS)
            elif self._timers:
                received = self._wait.wait(0, self._until_deadline())
            else:
                received = self._wait.wait_and_reap(WAIT_FLAGS, self._reaper.reported, BATCH, MAX_IN_A_ROW)
        except OSError as error:
            self._refusals += 1
            if self._refusals > MAX_REFUSALS:
                raise Failure(f"signals cannot be waited for: {error.strerror}") from None
            self._wait_otherwise()
            return None
        self._refusals = 0
        return received

    def _wait_otherwise(self) -> None:
        """Do without rt_sigtimedwait, which a seccomp filter may forbid: by poll, unless that is refused too."""
        try:
            if isinstance(self._wait, SignalWait):
                self._wait = WakeupWait(Watches())
            elif isinstance(self._wait, DescriptorWait):
                self._wait = WakeupWait(self._wait.watches)
        except OSError:
            pass

    def _until_deadline(self) -> float:
        return max(0.0, min(timer.when for timer in self._timers) - time.monotonic())

    def _meet_deadlines(self) -> None:
        now = time.monotonic()
        for timer in [timer for timer in self._timers if timer.when <= now]:
            # An earlier callback may have cancelled a later timer.
            if timer in self._timers:
                self._timers.remove(timer)
                timer.callback()
