"""From the payload's exit to init's: what is done with the processes that are left, by -t and -W.

They have a moment to end by themselves, are then asked to end, and are killed when the grace period is over. With -W
init waits for them instead, and passes stop signals on to them; with -t as well, a stop signal starts the grace period.
The exit code is always the payload's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import IntEnum

from pyinit import native, signals
from pyinit.event_loop import EventLoop, Timer
from pyinit.leftovers import Leftovers
from pyinit.options import Options
from pyinit.reaper import Reaper
from pyinit.report.log import Log
from pyinit.stop_requests import StopRequests
from pyinit.terminate_leftovers import Termination

# The grace period as PID 1, unless -t says otherwise.
DEFAULT_GRACE = 3.0
# Seconds for processes that end by themselves when the payload has, such as `tee` at the end of its input, before they
# are asked to; at most half of the grace period. It begins anew as long as one of them is kept from running by others,
# but ends after SETTLE_AT_MOST.
SETTLE = 0.1
SETTLE_AT_MOST = 1.0
# Seconds before KILL at which every process is asked that was not asked before; at most half of the grace period.
LAST_CALL = 1.0
# Seconds after KILL to wait for what cannot be killed or reaped: a process in uninterruptible sleep.
AFTER_KILL = 1.0
NAMED_AT_MOST = 20
# Reap at most this many batches before looking for processes that are left. Most children exit together with the
# payload; the limit keeps a storm of exits from delaying the shutdown.
MAX_BATCHES = 16


class Phase(IntEnum):
    """How far the shutdown is."""

    # /proc was not read yet: nothing may be left.
    LOOKING = 0
    # With -W: until all have exited, or a stop signal comes.
    WAITING = 1
    # Until those are asked that did not end by themselves.
    SETTLING = 2
    # They have been asked: until KILL.
    GRACE = 3
    KILLED = 4


class Shutdown:
    """What happens after the payload has exited.

    `wait` is True if -W applies. With `leave_nothing`, no process may be left running, whatever -t says. `code` is
    init's exit code.
    """

    __slots__ = (
        "_asked_with",
        "_batches_left",
        "_code",
        "_deadline",
        "_everyone",
        "_grace",
        "_leave_nothing",
        "_leftovers",
        "_log",
        "_loop",
        "_phase",
        "_reaper",
        "_requests",
        "_settle_until",
        "_termination",
        "_timers",
        "_wait",
    )

    def __init__(
        self, options: Options, leftovers: Leftovers, loop: EventLoop, reaper: Reaper, requests: StopRequests, log: Log
    ) -> None:
        self._leftovers = leftovers
        self._loop = loop
        self._reaper = reaper
        self._requests = requests
        self._log = log
        self._everyone = options.group or options.all
        self._grace = options.grace
        self._code = 0
        self._wait = self._leave_nothing = False
        self._phase = Phase.LOOKING
        self._batches_left = MAX_BATCHES
        self._timers: list[Timer] = []
        self._settle_until = 0.0
        self._deadline: float | None = None
        self._termination: Termination | None = None
        self._asked_with: set[int] = set()

    def begin(self, code: int, wait: bool, leave_nothing: bool, is_pid1: bool) -> None:
        """Begin. The first look is taken when children have been reaped, or by `look`."""
        self._code = code
        self._wait = wait
        self._leave_nothing = leave_nothing
        if self._grace is None and not wait:
            self._grace = DEFAULT_GRACE if is_pid1 or leave_nothing else 0.0

    def child_exited(self, pid: int) -> None:
        """Forget a child that was reaped."""
        self._leftovers.reaped(pid)

    def batch_reaped(self, more: bool) -> None:
        """Look what is left after a batch of children was reaped, unless `more` children may have exited."""
        if more and self._batches_left:
            self._batches_left -= 1
        elif self._phase is Phase.LOOKING or not more:
            self.look()

    def look(self) -> None:
        """Look whether processes are left, and take the next step: finish, begin, or ask those that are new."""
        if self._is_over():
            self._loop.finish(self._code)
        elif self._phase is Phase.LOOKING:
            self._take_first_step()
        else:
            self._recount()
            if self._leftovers.only_ignored_children():
                self._loop.finish(self._code)
                return
            if self._termination and self._phase in (Phase.WAITING, Phase.GRACE):
                self._termination.ask_adopted()
            self._show()

    def _is_over(self) -> bool:
        """Return True if there is nothing to wait for: no process, none whose exit can be observed, no grace period."""
        if self._phase is Phase.LOOKING and not (self._grace or self._wait or self._leave_nothing):
            return True
        if not self._reaper.childless:
            return False
        if self._leftovers.none_without_children():
            return True
        return self._phase in (Phase.WAITING, Phase.KILLED) and not self._leftovers.all_exits_observable

    def _take_first_step(self) -> None:
        self._leftovers.only_signallable = not self._wait or self._requests.any_received
        self._leftovers.find()
        if self._leftovers.only_ignored_children():
            self._loop.finish(self._code)
            return
        for process in self._leftovers.known.values():
            self._log.info(f"left: {process}", pid=process.pid)
        if self._wait and not self._requests.any_received:
            self._phase = Phase.WAITING
        elif self._grace != 0:
            self._settle()
        elif self._leave_nothing:
            self._kill()
        else:
            self._loop.finish(self._code)
            return
        self._show()

    def _settle(self) -> None:
        """Start the grace period, if there is one, with a moment for processes that end by themselves."""
        self._phase = Phase.SETTLING
        settle = SETTLE
        if self._grace is not None:
            settle = min(SETTLE, self._grace / 2)
            self._count_down(self._grace)
        self._settle_until = time.monotonic() + SETTLE_AT_MOST
        self._after(settle, self._end_settling)

    def _end_settling(self) -> None:
        if time.monotonic() < self._settle_until and self._leftovers.is_any_starved():
            self._after(SETTLE, self._end_settling)
        else:
            self._ask()

    def _count_down(self, grace: float) -> None:
        """Set the times of the last call and of KILL."""
        self._deadline = time.monotonic() + grace
        self._after(grace - min(LAST_CALL, grace / 2), self._last_call)
        self._after(grace, self._kill)

    def _ask(self) -> None:
        if self._termination:
            # The last call was due at the same time, and came first.
            return
        self._phase = Phase.WAITING if self._grace is None else Phase.GRACE
        number = self._requests.for_leftovers
        if self._wait and self._requests.latest in signals.STOP_SIGNALS:
            number = self._requests.latest
        self._ask_with(number)

    def _ask_with(self, number: int) -> None:
        self._leftovers.only_signallable = True
        # With one of these they are not asked a second time.
        self._asked_with = {number}
        recipients = self._requests.recipients
        self._termination = Termination(number, self._leftovers, recipients, self._everyone, self._log)
        self._termination.ask()
        self._show()

    def _last_call(self) -> None:
        self._ask()
        if self._termination:
            self._termination.ask_the_rest()

    def _recount(self) -> None:
        self._leftovers.recount()
        # Processes that were started since the last look.
        new = self._leftovers.adopt() if self._phase is Phase.KILLED else []
        if not self._leftovers.known and self._leftovers.proc_readable:
            self._leftovers.find()
            new = list(self._leftovers.known.values())
        if self._phase is Phase.KILLED:
            self._leftovers.send_to(new, signals.KILL)

    def handle(self, received: int, number: int) -> None:
        """Pass a signal, which is `number` after rewriting, on to the processes that are left."""
        if self._phase is Phase.KILLED:
            self._log.debug(f"{signals.name(number)} comes after KILL")
        elif self._requests.is_stop(received, number):
            self._handle_stop(received, number)
        else:
            self._leftovers.send(number, self._everyone)

    def _handle_stop(self, received: int, number: int) -> None:
        is_second = self._requests.for_init_received and self._requests.is_for_init(received, number)
        self._requests.record(received, number)
        if is_second and self._deadline is not None:
            self._log.info(
                f"{signals.name(number)} is the second stop signal: the grace period ends",
                signal=signals.name(number),
            )
            self._kill()
        elif self._phase is Phase.WAITING:
            self._pass_on(number)
        elif self._termination and number not in self._asked_with:
            self._asked_with.add(number)
            self._leftovers.send(number, self._everyone)

    def _pass_on(self, number: int) -> None:
        """With -W: ask the processes that are left with a stop signal, and start the grace period if there is one."""
        # Also those that were sent an earlier stop signal while the payload was alive.
        self._requests.recipients = None
        if self._grace == 0:
            self._loop.finish(self._code)
            return
        if self._grace is not None:
            self._phase = Phase.GRACE
            self._count_down(self._grace)
        self._ask_with(number)

    def _kill(self) -> None:
        self._phase = Phase.KILLED
        self._deadline = None
        for timer in self._timers:
            self._loop.cancel(timer)
        self._leftovers.find()
        for process in self._leftovers.known.values():
            self._log.info(f"KILL: {process}", pid=process.pid)
        self._leftovers.send(signals.KILL, everyone=True)
        self._after(AFTER_KILL, self._stop_waiting)
        self.look()

    def _stop_waiting(self) -> None:
        """Exit although KILL did not end all processes; name them."""
        self._leftovers.find()
        names = [str(process) for process in self._leftovers.known.values()]
        if len(names) > NAMED_AT_MOST:
            names[NAMED_AT_MOST:] = [f"{len(names) - NAMED_AT_MOST} more"]
        if not self._leftovers.proc_readable:
            names = ["processes that cannot be named without /proc"]
        if names:
            self._log.warning(f"still there {AFTER_KILL:.0f} s after KILL: {', '.join(names)}; init ends without them")
        self._loop.finish(self._code)

    def _after(self, seconds: float, callback: Callable[[], None]) -> None:
        self._timers.append(self._loop.after(seconds, callback))

    def _show(self) -> None:
        """Show in the process title how far the shutdown is; it changes with the state, not as time goes by."""
        words = ["waiting" if self._phase is Phase.WAITING else "stopping"]
        if self._leftovers.proc_readable:
            words.append(f"{len(self._leftovers.known)} left")
        if self._phase is Phase.KILLED:
            words.append("killed")
        elif self._deadline is not None:
            # Rounded up: the title never promises less time than there is.
            words.append(f"KILL in {int(max(0.0, self._deadline - time.monotonic()) + 0.999)} s")
        native.set_title(f"pyinit: {', '.join(words)}")
