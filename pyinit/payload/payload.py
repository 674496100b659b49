"""The payload itself: the one process whose exit ends the run. Everybody who needs its pid asks here."""

from __future__ import annotations

import os

from pyinit import signals
from pyinit.procfs.kill_as_owner import OwnerSignaler
from pyinit.procfs.processes import Process


class Payload:
    """The process that init runs, or that has taken its place (--follow).

    `pid` is 0 before it is started and after it has been reaped. `group` is the process group that init has put it in,
    None if it has a session of its own or has taken the payload's place. `program` is its name for messages.
    """

    __slots__ = ("group", "pid", "program")

    def __init__(self, program: str) -> None:
        self.program = program
        self.pid = 0
        self.group: int | None = None

    def reaped(self) -> None:
        """Forget the pid: from now on it may be another process's."""
        self.pid = 0

    def replaced_by(self, process: Process) -> None:
        """Take this process, which the payload has left, for the payload."""
        self.pid = process.pid
        self.group = None
        self.program = process.command

    def kill(self) -> bool:
        """Kill the payload and the group that has its number; return False if it does not run.

        For an init that must give up: as PID 1 the kernel sees to that, elsewhere the payload would run on without an
        init, as the child of another process.
        """
        if not self.pid:
            return False
        sender = OwnerSignaler()
        for target in (-self.pid, self.pid):
            try:
                sender.kill(target, signals.KILL)
            except OSError:
                continue
        return True

    def current_group(self) -> int:
        """Return its process group now; 0 for one that is outside of this PID namespace. Raises OSError."""
        return os.getpgid(self.pid)
