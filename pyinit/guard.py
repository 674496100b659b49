"""What init owes its payload when it must give up: that it does not run on without an init.

As PID 1 the kernel sees to that; elsewhere the payload would be somebody else's orphan, and nobody would know.
"""

from __future__ import annotations

from pyinit import kill_as_owner, signals


class Guard:
    """`payload` is the pid of the payload while there is one to be waited for, otherwise 0."""

    __slots__ = ("payload",)

    def __init__(self) -> None:
        self.payload = 0

    def give_up(self) -> bool:
        """Kills the payload and the group that has its number; whether there was one."""
        if not self.payload:
            return False
        for target in (-self.payload, self.payload):
            try:
                kill_as_owner.kill(target, signals.KILL, None)
            except OSError:
                continue
        return True
