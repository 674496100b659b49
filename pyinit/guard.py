"""What init owes its payload when it must give up: that it does not run on without an init.

As PID 1 the kernel sees to that; elsewhere the payload would be somebody else's orphan, and nobody would know.
"""

from __future__ import annotations

from pyinit import signals
from pyinit.procfs.kill_as_owner import Sender


class Guard:
    """`payload` is the pid of the payload while there is one to be waited for, otherwise 0."""

    __slots__ = ("payload",)

    def __init__(self) -> None:
        self.payload = 0

    def give_up(self) -> bool:
        """Kills the payload and the group that has its number; whether there was one."""
        if not self.payload:
            return False
        sender = Sender()
        for target in (-self.payload, self.payload):
            try:
                sender.kill(target, signals.KILL)
            except OSError:
                continue
        return True
