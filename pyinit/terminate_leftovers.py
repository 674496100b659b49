"""Ask the processes that the payload has left to end: which of them, by which signals, and none of them twice.

They get TERM (or the signal that the payload was asked by), then CONT in case they are stopped. A process that ignores
TERM and has a controlling terminal is taken for an interactive shell (bash(1), SIGNALS): HUP ends it, as when its
terminal closes. Other programs on a terminal do not get HUP: it would kill those that handle TERM and need time for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyinit import signals
from pyinit.leftovers import Leftovers
from pyinit.procfs import processes
from pyinit.procfs.processes import Process
from pyinit.procfs.signal_descendants import Reach
from pyinit.report.log import Log
from pyinit.stop_recipients import Audience


class Asking:
    """One request to end, to all processes that are left, or from the top.

    `number` is the signal that asks; processes that ignore it get TERM. `audience` are the processes that have had a
    stop signal while the payload was alive: they get only CONT, unless they ignore that signal. With `everyone` all are
    asked at once, otherwise the tops first (`Leftovers.tops`).
    """

    __slots__ = ("_audience", "_everyone", "_leftovers", "_log", "_number", "_reach")

    def __init__(self, number: int, leftovers: Leftovers, audience: Audience | None, everyone: bool, log: Log) -> None:
        self._number = number
        self._leftovers = leftovers
        self._audience = audience
        self._everyone = everyone
        self._log = log
        self._reach = Reach(self._signals_for, leftovers.refused)

    def begin(self) -> None:
        """Ask the tops, or all processes."""
        if not self._leftovers.visible:
            self._ask_unseen()
        else:
            self._reach.walk(self._found)

    def go_on(self) -> None:
        """Ask processes that have become init's children since."""
        self._leftovers.adopt()
        self._reach.send(self._due(self._leftovers.tops()))

    def last_call(self) -> None:
        """Ask every process that was not asked before: KILL comes next."""
        if not self._leftovers.visible:
            return
        self._everyone = True
        self._reach.spares = False
        self._reach.walk(self._found)

    def _found(self) -> Iterable[Process]:
        self._leftovers.find()
        return self._due(self._leftovers.known.values() if self._everyone else self._leftovers.tops())

    def _due(self, found: Iterable[Process]) -> Iterable[Process]:
        """Leave out what a stop signal that came before the payload's end has started: that has until the last call."""
        audience = self._audience
        if not audience or not self._reach.spares:
            return found
        return [process for process in found if not audience.has_caused(process)]

    def _signals_for(self, process: Process) -> tuple[int, ...]:
        number = self._number
        if number != signals.TERM and processes.ignores(process.pid, number):
            number = signals.TERM
        is_shell = process.terminal and processes.ignores(process.pid, signals.TERM)
        last = (signals.CONT, signals.HUP) if is_shell else (signals.CONT,)
        if self._was_asked(process, number):
            return last
        self._log.debug(f"{signals.name(number)} asks {process} to end", pid=process.pid, signal=signals.name(number))
        return number, *last

    def _was_asked(self, process: Process, number: int) -> bool:
        audience = self._audience
        if not audience or not audience.includes(process):
            return False
        # Shells start background jobs with INT and QUIT ignored (POSIX, 2.11 Signals and Error Handling).
        return number == audience.number or not processes.ignores(process.pid, audience.number)

    def _ask_unseen(self) -> None:
        """Ask all that is left where /proc cannot be read."""
        if not (self._audience and self._audience.is_everybody):
            self._leftovers.send(self._number, everyone=True)
        self._leftovers.send(signals.CONT, everyone=True)
