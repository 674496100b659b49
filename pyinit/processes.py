"""What /proc tells of other processes (proc(5)). Everything here may be out of date when it returns."""

from __future__ import annotations

import errno
import os

from pyinit import files

ZOMBIE_STATES = "ZX"
# USER_HZ, in which the kernel tells times to programs: 100 on every Linux (time(7)).
TICKS = 100


class Process:
    """One process, as /proc/PID/stat had it.

    `started` is in clock ticks since the machine started: together with the pid it names the process for good.
    """

    __slots__ = ("command", "group", "parent", "pid", "session", "started", "state")

    def __init__(self, pid: int) -> None:
        """Raises OSError when there is no such process, or no /proc."""
        stat = files.read(f"/proc/{pid}/stat").decode("utf-8", "surrogateescape")
        # The command may hold blanks and brackets of its own: it ends at the last one.
        head, _, tail = stat.rpartition(") ")
        fields = tail.split()
        self.pid = pid
        self.command = head.partition("(")[2]
        self.state = fields[0]
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.started = int(fields[19])

    @property
    def born(self) -> float:
        """When it started, in seconds since the machine did."""
        return self.started / TICKS

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self.state not in ZOMBIE_STATES


def everything() -> list[Process]:
    """Every process that /proc shows, in the order of their pids.

    Raises OSError without a /proc, or with one whose pids are not ours: unshare --pid without --mount-proc.
    """
    if os.readlink("/proc/self") != str(os.getpid()):
        raise FileNotFoundError(errno.ENOENT, "it belongs to another PID namespace")
    found = []
    for pid in sorted(int(each) for each in os.listdir("/proc") if each.isdecimal()):
        try:
            found.append(Process(pid))
        except OSError:
            continue
    return found


def descendants(root: int) -> list[Process]:
    """All that descend from the process `root`, parents first. Raises OSError without a /proc."""
    children: dict[int, list[Process]] = {}
    for each in everything():
        children.setdefault(each.parent, []).append(each)
    found = list(children.get(root, ()))
    for each in found:
        # The list grows while it is walked.
        found += children.get(each.pid, ())
    return found
