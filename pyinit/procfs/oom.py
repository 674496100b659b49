"""Find out if the kernel's OOM killer sent a SIGKILL, by its count of kills in a cgroup, version 1 or 2 (cgroups(7)).

runc compares the counts before and after in the same way (libcontainer, process_linux.go).
"""

from __future__ import annotations

from pyinit import files
from pyinit.numbers import number

MEBIBYTE = 1 << 20
# Version 1 has no word for "no limit": it shows PAGE_COUNTER_MAX, rounded down to pages.
UNLIMITED = 1 << 60
# The kernel's counters and limits have 64 bits.
HIGHEST = (1 << 64) - 1


class OomKills:
    """Kills by the OOM killer in init's own memory cgroup. Without a readable cgroup it reports none."""

    __slots__ = ("_counter", "_limit", "_seen")

    def __init__(self) -> None:
        self._seen = 0
        self._counter = self._limit = ""

    def begin(self) -> None:
        """Find the file with the count, and read it for the first time."""
        for folder, counter, limit in _candidates():
            self._counter, self._limit = f"{folder}/{counter}", f"{folder}/{limit}"
            try:
                self._seen = self._count()
            except OSError:
                continue
            return
        self._counter = ""

    def new_kills(self) -> bool:
        """Return True if the OOM killer has killed a process since the last call, or since `begin`."""
        if not self._counter:
            return False
        try:
            count = self._count()
        except OSError:
            return False
        before, self._seen = self._seen, count
        return count > before

    def explanation(self) -> str:
        """Return the last words of a log line about a killed process: the memory limit, if there is one."""
        try:
            text = files.read(self._limit).strip()
        except OSError:
            text = b""
        limit = number(text, HIGHEST)
        if limit is not None and limit < UNLIMITED:
            return f"out of memory: the limit is {limit / MEBIBYTE:g} MiB"
        return "out of memory: the machine's own, or a limit further up"

    def _count(self) -> int:
        for line in files.read(self._counter).splitlines():
            key, _, value = line.partition(b" ")
            count = number(value, HIGHEST)
            if key == b"oom_kill" and count is not None:
                return count
        # Kernels before 4.13 do not count.
        return 0


def _candidates() -> list[tuple[str, str, str]]:
    """Return folder, counter and limit of the memory cgroups that may be init's own, the likeliest first.

    In a cgroup namespace the path in /proc/self/cgroup is relative to the mount. Without one, a container's mount shows
    its own cgroup at the top, and the path names a folder that does not exist there.
    """
    try:
        lines = files.read("/proc/self/cgroup").splitlines()
    except OSError:
        return []
    unified, legacy = [], []
    for line in lines:
        _, _, rest = line.decode("utf-8", "surrogateescape").partition(":")
        controllers, whole, path = rest.partition(":")
        if not whole or "\0" in path:
            # Without a mounted /proc, an image may have any file of that name.
            continue
        tails = dict.fromkeys((path.rstrip("/"), ""))
        if "memory" in controllers.split(","):
            top = "/sys/fs/cgroup/memory"
            legacy = [(top + tail, "memory.oom_control", "memory.limit_in_bytes") for tail in tails]
        elif not controllers:
            unified = [("/sys/fs/cgroup" + tail, "memory.events", "memory.max") for tail in tails]
    # A controller that is used by version 1 is not available in version 2.
    return legacy or unified
