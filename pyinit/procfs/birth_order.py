"""Find out if a process was started before or after a moment, for example before or after a signal was sent.

/proc/PID/stat has the time at which a process was started, in clock ticks of 10 ms. Within one tick the pid decides:
the kernel assigns pids in ascending order, and starts again at the lowest after the highest (alloc_pid in
kernel/pid.c).
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
    """A moment in the order in which processes start: the time at which this object is created.

    A process that is started during the creation counts as later.
    """

    __slots__ = ("_newest_pid", "_tick")

    def __init__(self) -> None:
        self._newest_pid = _newest_pid()
        self._tick = tick()

    def is_before(self, process: Process) -> bool:
        """Return True if the process was started after this moment.

        If the newest pid cannot be read (a /proc with subset=pid, proc(5)), every process that was started in the same
        clock tick counts as later.
        """
        if process.started != self._tick:
            return process.started > self._tick
        if self._newest_pid == UNKNOWN:
            return True
        now = _newest_pid()
        if self._newest_pid <= now:
            return self._newest_pid < process.pid <= now
        # Pids have started again at the lowest.
        return process.pid > self._newest_pid or process.pid <= now


def _newest_pid() -> int:
    try:
        return processes.newest_pid()
    except OSError:
        return UNKNOWN
