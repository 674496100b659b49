"""What is said of processes that have ended: which they were, how they ended, and whether memory was the reason."""

from __future__ import annotations

import os

from pyinit import signals
from pyinit.exit_codes import KILLED, exit_code, fate
from pyinit.options import Options
from pyinit.procfs import processes
from pyinit.procfs.oom import OomKills
from pyinit.procfs.processes import Process
from pyinit.report.log import Log


class Deaths:
    """Lines about the payload's end and the reaped orphans'."""

    __slots__ = ("_log", "_name", "_oom", "_warn")

    def __init__(self, options: Options, log: Log) -> None:
        self._log = log
        self._warn = options.warn_on_reap
        self._oom = OomKills()
        self._name = ""

    def begin(self) -> None:
        """From now on it is known whether the OOM killer was at work. Reading that takes a while."""
        self._oom.begin()

    @property
    def wants_names(self) -> bool:
        """Whether `ending` should be told of each process before it is reaped."""
        return self._warn or self._log.verbose > 1

    def ending(self, pid: int) -> None:
        """A process has ended and is about to be reaped: /proc still knows its name."""
        self._name = ""
        try:
            if processes.counts_as_init():
                self._name = f" ({Process(pid).command})"
        except OSError:
            return

    def payload(self, pid: int, program: str, status: int, by_init: bool) -> None:
        """The payload has been reaped; `by_init`: KILL, if that was it, may have come from init itself."""
        if self._oom.grown():
            blame = self._blame(f"payload {pid} ({program})", status, by_init)
            self._log.error(blame, pid=pid, code=exit_code(status))
        elif self._log.verbose:
            self._log.info(f"payload {pid} ended: {fate(status)}", pid=pid, code=exit_code(status))

    def orphan(self, pid: int, status: int) -> None:
        """Another child has been reaped."""
        code = exit_code(status)
        if code == KILLED and self._oom.grown():
            self._log.error(self._blame(f"{pid}{self._name}", status, by_init=False), pid=pid, code=code)
        # A storm of orphans should not pay for lines that nobody wants.
        if self.wants_names:
            tell = self._log.warning if self._warn else self._log.debug
            tell(f"reaped {pid}{self._name}: {fate(status)}", pid=pid, code=code)
            # The next one may come without having been announced.
            self._name = ""

    def _blame(self, process: str, status: int, by_init: bool) -> str:
        reason = self._oom.explanation()
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signals.KILL and not by_init:
            return f"{process} was killed: {reason}"
        return f"{process} ended: {fate(status)}; one of its processes was killed: {reason}"
