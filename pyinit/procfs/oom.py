"""Was that SIGKILL the kernel's OOM killer? The cgroup's count of its kills tells, version 1 or 2 (cgroups(7)).

runc compares the count before and after in the same way (libcontainer, process_linux.go).
"""

from __future__ import annotations

from pyinit import files
from pyinit.numbers import number

MEBIBYTE = 1 << 20
# From here on a version 1 limit means none: PAGE_COUNTER_MAX, rounded down to pages.
UNLIMITED = 1 << 60
# A number of the kernel's has 64 bits.
HIGHEST = (1 << 64) - 1


class OomKills:
    """The OOM killer's work in init's own memory cgroup; says nothing where there is none that can be read."""

    __slots__ = ("_counter", "_limit", "_seen")

    def __init__(self) -> None:
        self._seen = 0
        self._counter = self._limit = ""

    def begin(self) -> None:
        """Finds the count, and how far it is now."""
        for folder, counter, limit in _candidates():
            self._counter, self._limit = f"{folder}/{counter}", f"{folder}/{limit}"
            try:
                self._seen = self._count()
            except OSError:
                continue
            return
        self._counter = ""

    def grown(self) -> bool:
        """Whether the OOM killer has been at work since this was last asked, or since the beginning."""
        if not self._counter:
            return False
        try:
            count = self._count()
        except OSError:
            return False
        before, self._seen = self._seen, count
        return count > before

    def explanation(self) -> str:
        """The end of a line about a process that was killed, with the limit if there is one."""
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
    """Folder, counter and limit of the memory cgroups that may be init's own, the likeliest first.

    With a cgroup namespace the path in /proc/self/cgroup is right below the mount; without one, a container's mount
    shows its own cgroup at the top, and the path names a folder that is not there.
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
            # Where no /proc is mounted, an image may hold any file of that name.
            continue
        tails = dict.fromkeys((path.rstrip("/"), ""))
        if "memory" in controllers.split(","):
            top = "/sys/fs/cgroup/memory"
            legacy = [(top + tail, "memory.oom_control", "memory.limit_in_bytes") for tail in tails]
        elif not controllers:
            unified = [("/sys/fs/cgroup" + tail, "memory.events", "memory.max") for tail in tails]
    # Where version 1 has the memory controller, version 2 has none.
    return legacy or unified
