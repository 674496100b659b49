"""--tree: the processes below their parents, for containers without ps; zombies with who does not wait for them."""

from __future__ import annotations

import os

from pyinit import files, user_database
from pyinit.exit_codes import Failure
from pyinit.numbers import HIGHEST_ID, number
from pyinit.procfs import processes
from pyinit.procfs.processes import Process
from pyinit.report.escape import printable

HEADER = f"{'PID':>7} {'USER':<8} S {'AGE':>5} {'MEMORY':>9}  COMMAND"
# Processes further down are not indented more: their lines would take memory by the square of their number.
DEEPEST = 64
# VmRSS in KB: the kernel's long.
LARGEST = 2**63 - 1
# Bytes of a command line that are shown, as Linux itself has it before 4.2 (proc(5)).
LONGEST = 4096
RED, PLAIN = "\x1b[31m", "\x1b[m"


def tree(colours: bool) -> str:
    """The table as text, zombies in red with `colours`.

    Raises Failure without a /proc.
    """
    try:
        found = processes.everything()
    except OSError as error:
        raise Failure(f"--tree: /proc: {error.strerror}; it needs a mounted /proc") from None
    own = os.getpid()
    known = {each.pid: each for each in found if each.pid != own}
    children: dict[int, list[Process]] = {}
    for each in known.values():
        children.setdefault(each.parent if each.parent in known else 0, []).append(each)
    owners = {each.pid: _owner(each.pid) for each in known.values()}
    names = _names({user for user, _ in owners.values()})
    lines = [HEADER]
    pending = [(0, each) for each in reversed(children.get(0, []))]
    while pending:
        depth, process = pending.pop()
        user, memory = owners[process.pid]
        name = "?" if user is None else names.get(user, str(user))
        what = "  " * min(depth, DEEPEST) + _command(process)
        if not process.alive:
            what += f" <zombie: {_culprit(known.get(process.parent), process.parent)}>"
        line = f"{process.pid:>7} {name:<8} {process.state} {_age(process.age):>5} {memory:>7} K  {what}"
        # The whole line: nothing in it, the state's letter neither, need be the kernel's.
        line = printable(line)
        lines.append(f"{RED}{line}{PLAIN}" if colours and not process.alive else line)
        pending += [(depth + 1, each) for each in reversed(children.get(process.pid, []))]
    return "\n".join(lines) + "\n"


def _culprit(parent: Process | None, pid: int) -> str:
    if parent is None:
        return "its parent is outside and does not wait for it"
    return f"{pid} {parent.command} does not wait for it"


def _owner(pid: int) -> tuple[int | None, int]:
    """The effective user's number and the resident memory in KB, as /proc/PID/status has them."""
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
    """The command line, or the name in brackets where there is none: kernel threads and zombies."""
    try:
        words = files.read(f"/proc/{process.pid}/cmdline", LONGEST).rstrip(b"\0")
    except OSError:
        words = b""
    return os.fsdecode(words.replace(b"\0", b" ")) or f"[{process.command}]"


def _names(users: set[int | None]) -> dict[int | None, str]:
    """The names of these users, cut to their column, as far as /etc/passwd can be read."""
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
    """Seconds in the largest unit that leaves a number: 59s, 59m, 47h, 3d."""
    whole = int(seconds)
    for unit, size, most in (("s", 1, 60), ("m", 60, 3600), ("h", 3600, 172800)):
        if whole < most:
            return f"{whole // size}{unit}"
    return f"{whole // 86400}d"
