"""Log lines about exited processes: which process, its exit code or signal, and if the OOM killer was the cause."""

from __future__ import annotations

import os

from pyinit import signals
from pyinit.exit_codes import KILLED, describe_exit, exit_code
from pyinit.options import Options
from pyinit.procfs import processes
from pyinit.procfs.oom import OomKills
from pyinit.procfs.processes import Process
from pyinit.report.log import Log


class ExitReport:
    """Logs the exit of the payload and of reaped orphans."""

    __slots__ = ("_log", "_name", "_oom", "_warn")

    def __init__(self, options: Options, log: Log) -> None:
        self._log = log
        self._warn = options.warn_on_reap
        self._oom = OomKills()
        self._name = ""

    def start_oom_watch(self) -> None:
        """Read the OOM killer's count for the first time, to compare later ones with. That takes a while."""
        self._oom.begin()

    @property
    def wants_names(self) -> bool:
        """Return True if `before_reap` should be called for every process."""
        return self._warn or self._log.verbose > 1

    def before_reap(self, pid: int) -> None:
        """Read the name of a zombie that is about to be reaped: /proc has it until then."""
        self._name = ""
        try:
            if processes.proc_shows_our_pid_namespace():
                self._name = f" ({Process(pid).command})"
        except OSError:
            return

    def payload_exited(self, pid: int, program: str, status: int, by_init: bool) -> None:
        """Log the payload's exit. `by_init` is True if init itself may have sent it KILL."""
        if self._oom.new_kills():
            message = self._oom_message(f"payload {pid} ({program})", status, by_init)
            self._log.error(message, pid=pid, code=exit_code(status))
        elif self._log.verbose:
            self._log.info(f"payload {pid} ended: {describe_exit(status)}", pid=pid, code=exit_code(status))

    def orphan_exited(self, pid: int, status: int) -> None:
        """Log the exit of another child."""
        code = exit_code(status)
        if code == KILLED and self._oom.new_kills():
            self._log.error(self._oom_message(f"{pid}{self._name}", status, by_init=False), pid=pid, code=code)
        # Do not format lines that will not be logged: there may be a storm of orphans.
        if self.wants_names:
            log = self._log.warning if self._warn else self._log.debug
            log(f"reaped {pid}{self._name}: {describe_exit(status)}", pid=pid, code=code)
            # `before_reap` may not be called for the next one.
            self._name = ""

    def _oom_message(self, process: str, status: int, by_init: bool) -> str:
        reason = self._oom.explanation()
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signals.KILL and not by_init:
            return f"{process} was killed: {reason}"
        return f"{process} ended: {describe_exit(status)}; one of its processes was killed: {reason}"
