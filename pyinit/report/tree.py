"""--tree: the processes as a tree, for containers without ps; zombies with the parent that does not wait for them."""

from __future__ import annotations

import os

from pyinit import files, user_database
from pyinit.exit_codes import Failure
from pyinit.numbers import HIGHEST_ID, number
from pyinit.procfs import processes
from pyinit.procfs.processes import Process
from pyinit.report.escape import printable

HEADER = f"{'PID':>7} {'USER':<8} S {'AGE':>5} {'MEMORY':>9}  COMMAND"
# The deepest indentation: without a limit, a chain of processes would take memory by the square of its length.
DEEPEST = 64
# VmRSS in KB is a long in the kernel.
LARGEST = 2**63 - 1
# Bytes of a command line that are shown; Linux before 4.2 has the same limit (proc(5)).
LONGEST = 4096
RED, PLAIN = "\x1b[31m", "\x1b[m"


def tree(colours: bool) -> str:
    """Return the tree as text; zombies are red if `colours` is True. Raises Failure without a /proc."""
    try:
        found = processes.all_processes()
    except OSError as error:
        raise Failure(f"--tree: /proc: {error.strerror}; it needs a mounted /proc") from None
    own = os.getpid()
    known = {process.pid: process for process in found if process.pid != own}
    children: dict[int, list[Process]] = {}
    for process in known.values():
        children.setdefault(process.parent if process.parent in known else 0, []).append(process)
    owners = {pid: _owner(pid) for pid in known}
    names = _names({user for user, _ in owners.values()})
    lines = [HEADER]
    pending = [(0, process) for process in reversed(children.get(0, []))]
    while pending:
        depth, process = pending.pop()
        user, memory = owners[process.pid]
        name = "?" if user is None else names.get(user, str(user))
        command = "  " * min(depth, DEEPEST) + _command(process)
        if not process.alive:
            command += f" <zombie: {_reason(known.get(process.parent), process.parent)}>"
        line = f"{process.pid:>7} {name:<8} {process.state} {_age(process.age):>5} {memory:>7} K  {command}"
        # Escape the whole line: if /proc is not the kernel's, even the state may be any text.
        line = printable(line)
        lines.append(f"{RED}{line}{PLAIN}" if colours and not process.alive else line)
        pending += [(depth + 1, child) for child in reversed(children.get(process.pid, []))]
    return "\n".join(lines) + "\n"


def _reason(parent: Process | None, pid: int) -> str:
    if parent is None:
        return "its parent, outside of this PID namespace, does not wait for it"
    return f"{pid} {parent.command} does not wait for it"


def _owner(pid: int) -> tuple[int | None, int]:
    """Return the effective user id, None if it is not known, and the resident memory in KB (/proc/PID/status)."""
    user, memory = None, 0
    try:
        for line in files.lines(f"/proc/{pid}/status", b":"):
            words = line.split(None, 3)
            if len(words) < 3:
                continue
            if words[0] == b"Uid:":
                user = number(words[2], HIGHEST_ID)
            elif words[0] == b"VmRSS:":
                memory = number(words[1], LARGEST) or 0
    except OSError:
        pass
    return user, memory


def _command(process: Process) -> str:
    """Return the command line, or the name in brackets for kernel threads and zombies, which have none."""
    try:
        words = files.read(f"/proc/{process.pid}/cmdline", LONGEST).rstrip(b"\0")
    except OSError:
        words = b""
    return os.fsdecode(words.replace(b"\0", b" ")) or f"[{process.command}]"


def _names(users: set[int | None]) -> dict[int | None, str]:
    """Return the names of these users, cut to the column's width. Those that /etc/passwd lacks are left out."""
    found: dict[int | None, str] = {}
    try:
        for entry in user_database.entries(user_database.PASSWD, b":"):
            user = number(entry[2], HIGHEST_ID)
            if user in users:
                found.setdefault(user, os.fsdecode(entry[0])[:8])
    except OSError:
        pass
    return found


def _age(seconds: float) -> str:
    """Return a duration as a whole number with a unit: 59s, 59m, 47h, 3d."""
    whole = int(seconds)
    for unit, size, most in (("s", 1, 60), ("m", 60, 3600), ("h", 3600, 172800)):
        if whole < most:
            return f"{whole // size}{unit}"
    return f"{whole // 86400}d"
