"""From the payload's end to init's: what is done with the processes that are left, by -t and -W.

They have a moment to end by themselves, are then asked to end, and are killed when the grace period is over. With -W
init waits for them instead and passes stop signals on to them; with -t as well, a stop signal starts the grace period.
The exit code is always the payload's.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pyinit import native, signals
from pyinit.event_loop import Loop, Timer
from pyinit.leftovers import Leftovers
from pyinit.options import Options
from pyinit.reaper import Reaper
from pyinit.report.log import Log
from pyinit.stop_requests import StopRequests
from pyinit.terminate_leftovers import Asking

# The grace period as PID 1, unless -t says otherwise.
DEFAULT = 3.0
# Seconds for processes that end by themselves when the payload has, such as `tee` at the end of its input, before they
# are asked to; at most half of the grace period. It begins anew as long as one of them is kept from running by others,
# but ends after SETTLE_AT_MOST.
SETTLE = 0.1
SETTLE_AT_MOST = 1.0
# Seconds before KILL at which every process is asked that was not asked before; at most half of the grace period.
LAST_CALL = 1.0
# For what cannot be killed or reaped: a process in uninterruptible sleep.
AFTER_KILL = 1.0
NAMED_AT_MOST = 20

# So often children are reaped before anybody is said to be left: most had ended too when the payload did. A storm of
# them does not hold init up.
PATIENCE = 16

# LOOKING: what is left is not known yet. WAITING: for their end, with -W. SETTLING: until they are asked to end. GRACE:
# until KILL. KILLED: after it.
LOOKING, WAITING, SETTLING, GRACE, KILLED = range(5)


class Shutdown:
    """From the payload's end to init's.

    `code` is init's exit code, `requests` are the stop signals that have come, `wait` is whether -W applies. With
    `leaves_nothing` no process may be left running, whatever -t says.
    """

    __slots__ = (
        "_asked_by",
        "_asking",
        "_code",
        "_deadline",
        "_everyone",
        "_grace",
        "_leaves_nothing",
        "_leftovers",
        "_log",
        "_loop",
        "_patience",
        "_phase",
        "_reaper",
        "_requests",
        "_settle_until",
        "_timers",
        "_wait",
    )

    def __init__(
        self,
        options: Options,
        leftovers: Leftovers,
        loop: Loop,
        reaper: Reaper,
        requests: StopRequests,
        log: Log,
        code: int,
        wait: bool,
        leaves_nothing: bool = False,
    ) -> None:
        self._loop = loop
        self._reaper = reaper
        self._requests = requests
        self._log = log
        self._code = code
        self._leaves_nothing = leaves_nothing
        self._wait = wait
        self._everyone = options.group or options.all
        self._grace = options.grace
        if self._grace is None and not self._wait:
            self._grace = DEFAULT if leftovers.everybody or leaves_nothing else 0.0
        self._phase = LOOKING
        self._patience = PATIENCE
        self._timers: list[Timer] = []
        self._deadline: float | None = None
        self._asking: Asking | None = None
        self._asked_by: set[int] = set()
        self._leftovers = leftovers
        self._settle_until = 0.0
        leftovers.ended = self.look

    def gone(self, pid: int) -> None:
        """A child other than the payload was reaped."""
        self._leftovers.reaped(pid)

    def reaped_some(self, more: bool) -> None:
        """Children were reaped, and there may be more that have ended."""
        if more and self._patience:
            self._patience -= 1
        elif self._phase == LOOKING or not more:
            self.look()

    def look(self) -> None:
        """Look whether processes are left, and take the next step: finish, begin, or ask those that are new."""
        if self._is_over():
            self._loop.finish(self._code)
        elif self._phase == LOOKING:
            self._begin()
        else:
            self._recount()
            if self._leftovers.none_that_matters():
                self._loop.finish(self._code)
                return
            if self._asking and self._phase in (WAITING, GRACE):
                self._asking.go_on()
            self._show()

    def _is_over(self) -> bool:
        """Return True if no process is left, or none whose end can be observed, or there is no grace period."""
        if self._phase == LOOKING and not (self._grace or self._wait or self._leaves_nothing):
            return True
        if not self._reaper.childless:
            return False
        if self._leftovers.none_besides_children():
            return True
        return self._phase in (WAITING, KILLED) and not self._leftovers.noticeable

    def _begin(self) -> None:
        self._leftovers.only_signallable = not self._wait or self._requests.asked
        self._leftovers.find()
        if self._leftovers.none_that_matters():
            self._loop.finish(self._code)
            return
        for each in self._leftovers.known.values():
            self._log.info(f"left: {each}", pid=each.pid)
        if self._wait and not self._requests.asked:
            self._phase = WAITING
        elif self._grace != 0:
            self._settle()
        elif self._leaves_nothing:
            self._kill()
        else:
            self._loop.finish(self._code)
            return
        self._show()

    def _settle(self) -> None:
        """Start the grace period, if there is one, with a moment for processes that end by themselves."""
        self._phase = SETTLING
        settle = SETTLE
        if self._grace is not None:
            settle = min(SETTLE, self._grace / 2)
            self._count_down()
        self._settle_until = time.monotonic() + SETTLE_AT_MOST
        self._after(settle, self._end_settling)

    def _end_settling(self) -> None:
        if time.monotonic() < self._settle_until and self._leftovers.is_any_starved():
            self._after(SETTLE, self._end_settling)
        else:
            self._ask()

    def _count_down(self) -> None:
        """Set the times of the last call and of KILL."""
        assert self._grace is not None
        self._deadline = time.monotonic() + self._grace
        self._after(self._grace - min(LAST_CALL, self._grace / 2), self._last_call)
        self._after(self._grace, self._kill)

    def _ask(self) -> None:
        if self._asking:
            # The last call was due at the same time, and came first.
            return
        self._phase = WAITING if self._grace is None else GRACE
        number = self._requests.for_leftovers
        if self._wait and self._requests.latest in signals.STOP_REQUESTS:
            number = self._requests.latest
        self._ask_by(number)

    def _ask_by(self, number: int) -> None:
        self._leftovers.only_signallable = True
        # By one of these they are not asked a second time.
        self._asked_by = {number}
        self._asking = Asking(number, self._leftovers, self._requests.audience, self._everyone, self._log)
        self._asking.begin()
        self._show()

    def _last_call(self) -> None:
        self._ask()
        if self._asking:
            self._asking.last_call()

    def _recount(self) -> None:
        self._leftovers.recount()
        # Processes that were started since the last look.
        new = self._leftovers.adopt() if self._phase == KILLED else []
        if not self._leftovers.known and self._leftovers.visible:
            self._leftovers.find()
            new = list(self._leftovers.known.values())
        if self._phase == KILLED:
            self._leftovers.send_to(new, signals.KILL)

    def handle(self, received: int, number: int) -> None:
        """Pass a signal, which is `number` after rewriting, on to the processes that are left."""
        if self._phase == KILLED:
            self._log.debug(f"{signals.name(number)} comes after KILL")
        elif self._requests.is_stop(received, number):
            self._handle_stop(received, number)
        else:
            self._leftovers.send(number, self._everyone)

    def _handle_stop(self, received: int, number: int) -> None:
        again = self._requests.ordered and self._requests.is_order(received, number)
        self._requests.note(received, number)
        if again and self._deadline is not None:
            self._log.info(
                f"{signals.name(number)} is the second stop signal: the grace period ends",
                signal=signals.name(number),
            )
            self._kill()
        elif self._phase == WAITING:
            self._pass_on(number)
        elif self._asking and number not in self._asked_by:
            self._asked_by.add(number)
            self._leftovers.send(number, self._everyone)

    def _pass_on(self, number: int) -> None:
        """With -W: ask the processes that are left by a stop signal, and start the grace period if there is one."""
        # Also those that were sent an earlier stop signal while the payload was alive.
        self._requests.audience = None
        if self._grace == 0:
            self._loop.finish(self._code)
            return
        if self._grace is not None:
            self._phase = GRACE
            self._count_down()
        self._ask_by(number)

    def _kill(self) -> None:
        self._phase = KILLED
        self._deadline = None
        for timer in self._timers:
            self._loop.cancel(timer)
        self._leftovers.find()
        for each in self._leftovers.known.values():
            self._log.info(f"KILL: {each}", pid=each.pid)
        self._leftovers.send(signals.KILL, everyone=True)
        self._after(AFTER_KILL, self._give_up)
        self.look()

    def _give_up(self) -> None:
        self._leftovers.find()
        names = [str(each) for each in self._leftovers.known.values()]
        if len(names) > NAMED_AT_MOST:
            names[NAMED_AT_MOST:] = [f"{len(names) - NAMED_AT_MOST} more"]
        if not self._leftovers.visible:
            names = ["processes that cannot be named without /proc"]
        if names:
            self._log.warning(f"still there {AFTER_KILL:.0f} s after KILL: {', '.join(names)}; init ends without them")
        self._loop.finish(self._code)

    def _after(self, seconds: float, callback: Callable[[], None]) -> None:
        self._timers.append(self._loop.after(seconds, callback))

    def _show(self) -> None:
        """Puts into the process title how far it is; it is changed when something changes, not as time goes by."""
        words = ["waiting" if self._phase == WAITING else "stopping"]
        if self._leftovers.visible:
            words.append(f"{len(self._leftovers.known)} left")
        if self._phase == KILLED:
            words.append("killed")
        elif self._deadline is not None:
            # Rounded up: it is not over before it says so.
            words.append(f"KILL in {int(max(0.0, self._deadline - time.monotonic()) + 0.999)} s")
        native.set_title(f"pyinit: {', '.join(words)}")
