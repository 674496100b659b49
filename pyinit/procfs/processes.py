"""Read about other processes in /proc (proc(5)). Every result may be out of date when it is returned."""

from __future__ import annotations

import errno
import os
import time

from pyinit import files
from pyinit.numbers import HIGHEST_ID, HIGHEST_PID, number

ZOMBIE_STATES = "ZX"
# linux/wait.h, __WALL: include children whose exit signal is not SIGCHLD, which clone(2) allows.
WALL = 0x40000000
# The parent of a process whose parent is in another PID namespace: it entered from outside (docker exec).
OUTSIDE = 0
# linux/sched.h: PF_KTHREAD, in the field "flags" of /proc/PID/stat.
KERNEL_THREAD = 0x00200000
# USER_HZ: clock ticks per second in the kernel's interfaces, 100 on every Linux (time(7)).
TICKS = 100
# The highest "starttime" in /proc/PID/stat: the kernel converts nanoseconds, 63 bits of them, to ticks.
LATEST = 2**63 // (10**9 // TICKS)
# The most entries of /proc, or children, that are read: the number of pids on a machine of 64 processors
# (kernel/pid.c: 1024 for each).
MOST = 1 << 16
# How often a process may change its parent while that is looked up.
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
    """One process, as /proc/PID/stat showed it.

    `started` is its start in clock ticks since boot; together with the pid it identifies the process uniquely.
    `terminal` is the number of its controlling terminal, 0 without one. `cpu` is the processor time that it has used,
    in clock ticks.
    """

    __slots__ = ("command", "cpu", "flags", "group", "parent", "pid", "started", "state", "terminal", "threads")

    def __init__(self, pid: int) -> None:
        """Read the process. Raises OSError if it does not exist, and without a /proc that is the kernel's."""
        stat = files.read(f"/proc/{pid}/stat", files.CHUNK_SIZE).decode("utf-8", "surrogateescape")
        # The command may contain spaces and brackets: it ends at the last bracket.
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
        # The kernel may show -1 as the group of a process that is disappearing (do_task_stat in fs/proc/array.c).
        if not (0 <= self.parent <= HIGHEST_PID and -1 <= self.group <= HIGHEST_PID and 0 <= self.started <= LATEST):
            raise _malformed()

    @property
    def born(self) -> float:
        """Return the time of its start, in seconds since boot."""
        return self.started / TICKS

    @property
    def alive(self) -> bool:
        """Return True if it has not exited. If only its first thread has, it looks like a zombie, but has others."""
        return self.state not in ZOMBIE_STATES or self.threads > 1

    @property
    def is_kernel_thread(self) -> bool:
        """Return True if it is a kernel thread. Init sees kernel threads if it is PID 1 of a machine."""
        return bool(self.flags & KERNEL_THREAD)

    @property
    def age(self) -> float:
        """Return the seconds since its start."""
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - self.born)

    def __str__(self) -> str:
        return f"{self.pid} {self.command} ({STATES.get(self.state, self.state)}, {self.age:.1f} s old)"


class HiddenChild(Process):
    """A running child of init that /proc does not show to init (hidepid in proc(5))."""

    __slots__ = ()

    def __init__(self, pid: int) -> None:
        """Fill in what is known. Raises OSError if the process has exited, or is not a child of init."""
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
    """Return True if a child of init is a zombie. Raises OSError if the process is not a child of init."""
    return bool(os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT | WALL))


def all_processes() -> list[Process]:
    """Return every process that /proc shows, in the order of their pids.

    Raises OSError without a /proc, and if /proc shows another PID namespace (unshare --pid without --mount-proc).
    """
    found = []
    for pid in pids():
        try:
            found.append(Process(pid))
        except OSError:
            continue
    return found


def pids() -> list[int]:
    """Return every pid that /proc shows, in ascending order. Raises OSError as `all_processes` does."""
    if not proc_shows_our_pid_namespace():
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
    """Return a process's real user id. Raises OSError if the process does not exist, and without a /proc."""
    words = _field(f"/proc/{pid}/status", b"Uid:").split()
    found = number(words[0], HIGHEST_ID) if words else None
    if found is None:
        raise _malformed()
    return found


def proc_shows_our_pid_namespace() -> bool:
    """Return True if the pids in /proc are those of init's own PID namespace.

    NSpid lists init's pid in every namespace from that of /proc to init's own: one pid if they are the same.
    """
    value = _field("/proc/self/status", b"NSpid:")
    if value:
        return value == b"%d" % os.getpid()
    # Linux before 4.1 has no NSpid. Init hardly has the same pid in two namespaces.
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
    """Return a child of init, or None if it has exited and /proc does not show it."""
    for kind in (Process, HiddenChild):
        try:
            return kind(pid)
        except OSError:
            continue
    return None


def ignores(pid: int, signal: int) -> bool:
    """Return True if a process ignores a signal (proc_pid_status(5)), False also if that cannot be read."""
    try:
        return bool(int(_field(f"/proc/{pid}/status", b"SigIgn:"), 16) >> (signal - 1) & 1)
    except (OSError, ValueError):
        return False


def newest_pid() -> int:
    """Return the pid that the kernel assigned last (proc(5), loadavg). Raises OSError if it cannot be read."""
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
    """Return the error for a malformed file: without a mounted /proc, an image may have any file of that name."""
    return OSError(errno.EBADMSG, "it is not the kernel's")


def descendants(root: int) -> list[Process]:
    """Return all descendants of the process `root`, parents first. Raises OSError as `all_processes` does.

    A process that exists during the whole walk is not missed, even if its ancestors exit meanwhile. `root` is never in
    the result, even if a /proc that is not the kernel's shows it below itself.
    """
    found = all_processes()
    pids = {process.pid for process in found}
    children: dict[int, list[Process]] = {}
    for process in found:
        if process.pid == root:
            continue
        parent = process.parent
        if parent and parent not in pids:
            # The parent exited after this process was read: find its new one.
            parent = _current_parent(process, pids)
        children.setdefault(parent, []).append(process)
    below = children.pop(root, [])
    for process in below:
        # The list grows during the loop.
        below += children.pop(process.pid, ())
    return below


def _current_parent(process: Process, known: set[int]) -> int:
    previous = process.parent
    try:
        for _ in range(MOST_PARENTS):
            parent = Process(process.pid).parent
            if parent in known or parent == previous:
                return parent
            previous = parent
    except OSError:
        pass
    return 0
