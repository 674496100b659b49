"""After the payload has ended: what becomes of those who are left, by -t and -W.

Either they are asked to end (TERM, and CONT for those that are stopped), have the grace period to do so, and are
killed; or, with -W, they are waited for, until a stop signal comes if -t is given too. Whatever happens, the exit
code stays the payload's.
"""

from __future__ import annotations

import time

from pyinit import signals
from pyinit.leftovers import Leftovers
from pyinit.log import Log
from pyinit.loop import Loop, Timer
from pyinit.options import Options
from pyinit.reaper import Reaper

DEFAULT_AS_PID_1 = 3.0
# For what cannot be killed or reaped: a process in uninterruptible sleep, one that init may not signal.
AFTER_KILL = 1.0
NAMED_AT_MOST = 20

# So often children are reaped before anybody is said to be left: most had ended too when the payload did. A storm of
# them does not hold init up.
PATIENCE = 16

WAITING, GRACE, KILLED = range(3)


class Shutdown:
    """From the payload's end to init's.

    `code` is what init will exit with, `stopping` whether a stop signal has come, `ordered` whether TERM or INT has.
    """

    __slots__ = (
        "_code",
        "_grace",
        "_leftovers",
        "_log",
        "_loop",
        "_patience",
        "_phase",
        "_reaper",
        "_timer",
        "_wait",
        "ordered",
        "stopping",
    )

    def __init__(self, options: Options, leftovers: Leftovers, loop: Loop, reaper: Reaper, log: Log, code: int) -> None:
        self._loop = loop
        self._reaper = reaper
        self._log = log
        self._code = code
        self.ordered = False
        self.stopping = False
        self._wait = options.wait
        self._grace = options.grace
        if self._grace is None and not options.wait:
            self._grace = DEFAULT_AS_PID_1 if leftovers.everybody else 0.0
        self._phase: int | None = None
        self._patience = PATIENCE
        self._timer: Timer | None = None
        self._leftovers = leftovers
        leftovers.ended = self.look

    def gone(self, pid: int) -> None:
        """A child other than the payload was reaped."""
        self._leftovers.reaped(pid)

    def reaped_some(self, more: bool) -> None:
        """Children were reaped, and there may be more that have ended."""
        if more and self._patience:
            self._patience -= 1
        elif self._phase is None or not more:
            self.look()

    def look(self) -> None:
        """Is anybody left?"""
        if self._finished():
            self._loop.finish(self._code)
        elif self._phase is None:
            self._begin()
        else:
            self._recount()
            self._show()

    def _finished(self) -> bool:
        """Whether nobody is left, or nobody whose end would be noticed, or nobody is cared for."""
        if self._phase is None and not self._grace and not self._wait:
            return True
        if not self._reaper.childless:
            return False
        if self._leftovers.none_besides_children():
            return True
        return self._phase in (WAITING, KILLED) and not self._leftovers.noticeable

    def _begin(self) -> None:
        self._leftovers.find()
        for each in self._leftovers.known.values():
            self._log.info(f"left: {each}", pid=each.pid)
        if self._wait and not (self.stopping and self._grace is not None):
            self._phase = WAITING
            self._show()
        else:
            self._ask(signals.TERM)

    def _ask(self, number: int) -> None:
        """The grace period begins."""
        self._phase = GRACE
        if not self._grace:
            self._loop.finish(self._code)
            return
        self._leftovers.send(number, signals.CONT)
        self._timer = self._loop.after(self._grace, self._kill)
        self._show()

    def _recount(self) -> None:
        self._leftovers.recount()
        if self._leftovers.known or not self._leftovers.visible:
            return
        # Those who are left were born since.
        self._leftovers.find()
        if self._phase == KILLED:
            self._leftovers.send(signals.KILL)

    def handle(self, received: int, number: int) -> None:
        """A signal has come, which is `number` after rewriting: it is for those who are left."""
        if self._phase == KILLED:
            self._log.debug(f"{signals.name(number)} comes after KILL")
            return
        come = {received, number}
        if come & signals.ORDERS:
            again, self.ordered = self.ordered, True
            if self._phase == GRACE and again:
                self._log.info(
                    f"{signals.name(number)} is the second TERM or INT: the grace period ends",
                    signal=signals.name(number),
                )
                self._kill()
                return
            if self._phase is None and not self._wait:
                # TERM comes next for everybody anyway.
                return
        if come & signals.STOP_REQUESTS:
            self.stopping = True
            if self._phase == WAITING and self._grace is not None:
                self._ask(number)
                return
        self._leftovers.send(number)

    def _kill(self) -> None:
        self._phase = KILLED
        if self._timer:
            self._loop.cancel(self._timer)
        self._leftovers.find()
        for each in self._leftovers.known.values():
            self._log.info(f"KILL: {each}", pid=each.pid)
        self._leftovers.send(signals.KILL)
        self._timer = self._loop.after(AFTER_KILL, self._give_up)
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

    def _show(self) -> None:
        """Puts into the process title how far it is; it is changed when something changes, not as time goes by."""
        try:
            from setproctitle import setproctitle
        except OSError:
            # From source, where there is no descriptor to spare.
            return
        words = ["waiting" if self._phase == WAITING else "stopping"]
        if self._leftovers.visible:
            words.append(f"{len(self._leftovers.known)} left")
        if self._phase == KILLED:
            words.append("killed")
        elif self._timer:
            # Rounded up: it is not over before it says so.
            words.append(f"KILL in {int(max(0.0, self._timer.when - time.monotonic()) + 0.999)} s")
        setproctitle(f"pyinit: {', '.join(words)}")
