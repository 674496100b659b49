"""Ask the processes that the payload has left to end: which of them, with which signals, and none of them twice.

They get TERM (or the signal that the payload was asked with), then CONT in case they are stopped. A process that
ignores TERM and has a controlling terminal is taken for an interactive shell (bash(1), SIGNALS): HUP ends it, as when
its terminal closes. Other programs on a terminal get no HUP: it would kill those that handle TERM and need time for
that.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyinit import signals
from pyinit.leftovers import Leftovers
from pyinit.procfs import processes
from pyinit.procfs.processes import Process
from pyinit.procfs.signal_descendants import DescendantSignaler
from pyinit.report.log import Log
from pyinit.stop_recipients import StopRecipients


class Termination:
    """One request to end, to all processes that are left, or from the top down.

    `number` is the signal of the request; processes that ignore it get TERM. `recipients` have had a stop signal while
    the payload was alive: they get only CONT, unless they ignore that signal. With `everyone` all are asked at once,
    otherwise only init's children and those that entered from outside (`Leftovers.tops`).
    """

    __slots__ = ("_everyone", "_leftovers", "_log", "_number", "_recipients", "_signaler")

    def __init__(
        self, number: int, leftovers: Leftovers, recipients: StopRecipients | None, everyone: bool, log: Log
    ) -> None:
        self._number = number
        self._leftovers = leftovers
        self._recipients = recipients
        self._everyone = everyone
        self._log = log
        self._signaler = DescendantSignaler(self._signals_for, leftovers.refused)

    def ask(self) -> None:
        """Ask the processes at the top, or all."""
        if not self._leftovers.proc_readable:
            self._ask_without_proc()
        else:
            self._signaler.walk(self._find)

    def ask_adopted(self) -> None:
        """Ask processes that have become init's children since."""
        self._leftovers.adopt()
        self._signaler.send(self._to_ask(self._leftovers.tops()))

    def ask_the_rest(self) -> None:
        """Ask every process that was not asked before: KILL comes next."""
        if not self._leftovers.proc_readable:
            return
        self._everyone = True
        self._signaler.spare_new = False
        self._signaler.walk(self._find)

    def _find(self) -> Iterable[Process]:
        self._leftovers.find()
        return self._to_ask(self._leftovers.known.values() if self._everyone else self._leftovers.tops())

    def _to_ask(self, found: Iterable[Process]) -> Iterable[Process]:
        """Leave out what an earlier stop signal has started, such as the clean-up in a trap: it has until the rest."""
        recipients = self._recipients
        if not recipients or not self._signaler.spare_new:
            return found
        return [process for process in found if not recipients.has_caused(process)]

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
        recipients = self._recipients
        if not recipients or not recipients.includes(process):
            return False
        # Shells start background jobs with INT and QUIT ignored (POSIX, 2.11 Signals and Error Handling).
        return number == recipients.number or not processes.ignores(process.pid, recipients.number)

    def _ask_without_proc(self) -> None:
        """Ask all that is left, because it cannot be told apart."""
        if not (self._recipients and self._recipients.is_everybody):
            self._leftovers.send(self._number, everyone=True)
        self._leftovers.send(signals.CONT, everyone=True)
