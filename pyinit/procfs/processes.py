"""What /proc tells of other processes (proc(5)). Everything here may be out of date when it returns."""

from __future__ import annotations

import errno
import os
import time

from pyinit import files
from pyinit.numbers import HIGHEST_ID, HIGHEST_PID, number

ZOMBIE_STATES = "ZX"
# linux/wait.h: children with another exit signal than SIGCHLD, which clone(2) allows, count as well.
WALL = 0x40000000
# The parent of a process whose parent is in another PID namespace: it entered from outside (docker exec).
OUTSIDE = 0
# linux/sched.h: PF_KTHREAD, in the field "flags" of /proc/PID/stat.
KERNEL_THREAD = 0x00200000
# USER_HZ, in which the kernel tells times to programs: 100 on every Linux (time(7)).
TICKS = 100
# The highest "starttime" in /proc/PID/stat: the kernel turns nanoseconds, 63 bits of them, into ticks.
LATEST = 2**63 // (10**9 // TICKS)
# The most entries of /proc, or children, that are read. A machine of 64 processors has so many pids (kernel/pid.c).
MOST = 1 << 16
# How many times a process's parent may change while it is looked up.
MOST_PARENTS = 16
STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "in uninterruptible sleep",
    "T": "stopped",
    "t": "traced",
    "Z": "zombie",
    "X": "dead",
    "I": "idle",
}


class Process:
    """One process, as /proc/PID/stat had it.

    `started` is in clock ticks since the machine started: together with the pid it names the process for good.
    `terminal` is the number of its controlling terminal, 0 without one. `cpu` is the processor time that it has used so
    far, in clock ticks.
    """

    __slots__ = ("command", "cpu", "flags", "group", "parent", "pid", "started", "state", "terminal", "threads")

    def __init__(self, pid: int) -> None:
        """Raises OSError when there is no such process, or no /proc, or something else in its place."""
        stat = files.read(f"/proc/{pid}/stat", files.ENOUGH).decode("utf-8", "surrogateescape")
        # The command may hold blanks and brackets of its own: it ends at the last one.
        head, _, tail = stat.rpartition(") ")
        fields = tail.split()
        self.pid = pid
        self.command = head.partition("(")[2]
        try:
            self.state = fields[0]
            self.parent = int(fields[1])
            self.group = int(fields[2])
            self.terminal = int(fields[4])
            self.flags = int(fields[6])
            self.cpu = int(fields[11]) + int(fields[12])
            self.threads = int(fields[17])
            self.started = int(fields[19])
        except (IndexError, ValueError):
            raise _malformed() from None
        # For a process that is about to vanish the kernel may write -1 as the group (do_task_stat in fs/proc/array.c).
        if not (0 <= self.parent <= HIGHEST_PID and -1 <= self.group <= HIGHEST_PID and 0 <= self.started <= LATEST):
            raise _malformed()

    @property
    def born(self) -> float:
        """When it started, in seconds since the machine did."""
        return self.started / TICKS

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet. One whose first thread has ended looks like a zombie, but has others."""
        return self.state not in ZOMBIE_STATES or self.threads > 1

    @property
    def is_kernel_thread(self) -> bool:
        """Return True if it is a kernel thread. Init sees those if it is PID 1 of a machine."""
        return bool(self.flags & KERNEL_THREAD)

    @property
    def age(self) -> float:
        """For how long, in seconds, it has existed."""
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - self.born)

    def __str__(self) -> str:
        return f"{self.pid} {self.command} ({STATES.get(self.state, self.state)}, {self.age:.1f} s old)"


class HiddenChild(Process):
    """A child of init's that runs and that /proc does not show to init (hidepid in proc(5))."""

    __slots__ = ()

    def __init__(self, pid: int) -> None:
        """Raise OSError if it has ended, or is no child."""
        if has_ended(pid):
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        self.pid = pid
        self.command = self.state = "?"
        self.parent = os.getpid()
        self.group = self.terminal = self.flags = self.cpu = self.started = 0
        self.threads = 1

    def __str__(self) -> str:
        return f"{self.pid} (/proc does not show it)"


def has_ended(child: int) -> bool:
    """Return True if a child of init's has ended and waits to be reaped. Raises OSError if it is no child."""
    return bool(os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT | WALL))


def everything() -> list[Process]:
    """Every process that /proc shows, in the order of their pids.

    Raises OSError without a /proc, or with one whose pids are not ours: unshare --pid without --mount-proc.
    """
    found = []
    for pid in pids():
        try:
            found.append(Process(pid))
        except OSError:
            continue
    return found


def pids() -> list[int]:
    """Return every pid that /proc shows, in ascending order. Raises OSError as `everything` does."""
    if not counts_as_init():
        raise FileNotFoundError(errno.ENOENT, "it belongs to another PID namespace")
    found = []
    with os.scandir(b"/proc") as entries:
        for count, entry in enumerate(entries):
            if count == MOST:
                raise OSError(errno.EFBIG, f"it has more than {MOST} entries")
            pid = number(entry.name, HIGHEST_PID)
            if pid:
                found.append(pid)
    return sorted(found)


def user(pid: int) -> int:
    """Return a process's real user id. Raises OSError when there is no such process, or no /proc."""
    words = _field(f"/proc/{pid}/status", b"Uid:").split()
    found = number(words[0], HIGHEST_ID) if words else None
    if found is None:
        raise _malformed()
    return found


def counts_as_init() -> bool:
    """Whether /proc has the pids that init knows: NSpid has one pid for each namespace from /proc's to our own."""
    value = _field("/proc/self/status", b"NSpid:")
    if value:
        return value == b"%d" % os.getpid()
    # Linux before 4.1 does not say; there the pids of two namespaces are not likely to be the same.
    return os.readlink("/proc/self") == str(os.getpid())


def children() -> list[int]:
    """Return the pids of init's own children, zombies too. Raises OSError if the kernel does not list them."""
    own = os.getpid()
    found: list[int] = []
    for piece in files.pieces(f"/proc/{own}/task/{own}/children", b" "):
        for word in piece.split():
            pid = number(word, HIGHEST_PID)
            if not pid or len(found) == MOST:
                raise _malformed()
            found.append(pid)
    return found


def child(pid: int) -> Process | None:
    """Return a child of init's; None if it has ended and /proc does not show it either."""
    for kind in (Process, HiddenChild):
        try:
            return kind(pid)
        except OSError:
            continue
    return None


def ignores(pid: int, signal: int) -> bool:
    """Return True if a process ignores a signal (proc_pid_status(5)); False where that cannot be read."""
    try:
        return bool(int(_field(f"/proc/{pid}/status", b"SigIgn:"), 16) >> (signal - 1) & 1)
    except (OSError, ValueError):
        return False


def newest() -> int:
    """The pid that was given out last (proc(5), loadavg). Raises OSError where it cannot be read."""
    words = files.read("/proc/loadavg").split()
    found = number(words[-1], HIGHEST_PID) if words else None
    if found is None:
        raise _malformed()
    return found


def _field(path: str, name: bytes) -> bytes:
    """Return the value of a line in a file such as /proc/PID/status; empty if there is none. Raises OSError."""
    for line in files.lines(path, name):
        if line.startswith(name):
            return line[len(name) :].strip()
    return b""


def _malformed() -> OSError:
    """Where no /proc is mounted, an image may hold any file of that name."""
    return OSError(errno.EBADMSG, "it is not the kernel's")


def descendants(root: int) -> list[Process]:
    """All that descend from the process `root`, parents first. Raises OSError as `everything` does.

    A /proc that is not the kernel's may have any process below itself; `root` never is.

    One that is there from before the walk to after it is not missed, whoever of its ancestors dies meanwhile.
    """
    found = everything()
    pids = {each.pid for each in found}
    children: dict[int, list[Process]] = {}
    for each in found:
        if each.pid == root:
            continue
        parent = each.parent
        if parent and parent not in pids:
            # The parent died between the reading of the two: who is it now?
            parent = _parent_now(each, pids)
        children.setdefault(parent, []).append(each)
    below = children.pop(root, [])
    for each in below:
        # The list grows while it is walked.
        below += children.pop(each.pid, ())
    return below


def _parent_now(process: Process, known: set[int]) -> int:
    before = process.parent
    try:
        for _ in range(MOST_PARENTS):
            now = Process(process.pid).parent
            if now in known or now == before:
                return now
            before = now
    except OSError:
        pass
    return 0
