"""A stand-in for cgroups of version 2, whose memory controller is not there beside version 1's."""

from __future__ import annotations

from tools.namespace import NAMESPACE

# A folder of files of the same shape, and what /proc says of who is in it.
VERSION_2 = """
mount -t tmpfs none /sys/fs/cgroup && cd /sys/fs/cgroup &&
printf 'low 0\\nhigh 0\\nmax 0\\noom 0\\noom_kill %s\\n' "$BEFORE" > memory.events && echo "$MAX" > memory.max &&
echo "0::/" > own && mount --bind own /proc/$$/cgroup && exec "$@"
"""
# For a payload: it is killed, and the count says so.
KILL_AND_COUNT = "printf 'low 0\\noom 3\\noom_kill 3\\noom_group_kill 0\\n' > /sys/fs/cgroup/memory.events; kill -9 $$"


def version_2(limit: str) -> list[str]:
    """Return the command that starts a program as PID 1 where cgroups look like version 2."""
    around = f"BEFORE=2 MAX={limit}; {VERSION_2}"
    return [*NAMESPACE, "--mount", "sh", "-c", around, "sh"]
