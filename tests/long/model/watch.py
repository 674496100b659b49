"""Looks at a running init from outside: zombies and their age, memory, processor time."""

from __future__ import annotations

import time

from tests.support import procfs
from tests.support.polling import NotInTimeError, until

NANOSECONDS = 1e9
OLDEST = 1.0  # seconds that a zombie may wait for an init that the machine lets run


class Watch:
    """Of the init with this pid."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def only(self, wanted: set[int]) -> None:
        """Wait until init has these children alone; raise NotInTimeError if a zombie is there for more than a second.

        What the init spends on waiting for a processor does not count.
        """
        first: dict[int, float] = {}

        def others_gone() -> bool:
            found = procfs.children(self._pid)
            if missing := wanted.difference(found):
                raise NotInTimeError(f"{missing} should be init's children, which are {found}")
            now = time.monotonic() - self.delay
            zombies = procfs.zombies(found)
            for pid in zombies:
                if now - first.setdefault(pid, now) > OLDEST:
                    raise NotInTimeError(f"{pid} is init's child, and has been a zombie for {now - first[pid]:.1f} s")
            # A pid may be another's by now.
            for pid in first.keys() - set(zombies):
                del first[pid]
            return not set(found) - wanted

        until(others_gone, f"{wanted} as init's only children")

    @property
    def delay(self) -> float:
        """Seconds that it was ready to run, and others ran."""
        return self._schedstat(1)

    @property
    def processor_time(self) -> float:
        """Seconds that it has run."""
        return self._schedstat(0)

    def _schedstat(self, field: int) -> float:
        fields = procfs.read(self._pid, "schedstat").split()
        return int(fields[field]) / NANOSECONDS if fields else 0.0

    @property
    def rss(self) -> int:
        """KB of memory that is in use, exactly (proc(5): /proc/PID/status is not exact)."""
        return self._memory("Rss")

    @property
    def own(self) -> int:
        """KB of memory that it has written to: not what the kernel has mapped of its file."""
        return self._memory("Anonymous")

    def _memory(self, name: str) -> int:
        lines = procfs.read(self._pid, "smaps_rollup").decode().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
