"""Whether a process was started before or after a moment, such as the one at which a signal was sent.

/proc/PID/stat gives the time of a process's start in clock ticks of 10 ms. Within one tick pids tell: the kernel hands
them out in rising order, and begins again at the lowest after the highest (alloc_pid in kernel/pid.c).
"""

from __future__ import annotations

import time

from pyinit.procfs import processes
from pyinit.procfs.processes import TICKS, Process

UNKNOWN = 0


def tick() -> int:
    """Return the time in clock ticks since the machine started, as /proc/PID/stat counts it."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS)


class Moment:
    """A moment in the order in which processes start. A process that starts while it is taken counts as later."""

    __slots__ = ("_newest", "_tick")

    def __init__(self) -> None:
        self._newest = _newest()
        self._tick = tick()

    def is_before(self, process: Process) -> bool:
        """Return True if the process was started after this moment.

        If the newest pid cannot be read (a /proc with subset=pid, proc(5)), every process that was started in the same
        clock tick counts as later.
        """
        if process.started != self._tick:
            return process.started > self._tick
        if self._newest == UNKNOWN:
            return True
        now = _newest()
        if self._newest <= now:
            return self._newest < process.pid <= now
        # Pids have begun again at the lowest.
        return process.pid > self._newest or process.pid <= now


def _newest() -> int:
    try:
        return processes.newest()
    except OSError:
        return UNKNOWN
