"""--tree: the processes below their parents, for containers without ps; zombies with who does not wait for them."""

from __future__ import annotations

import os

from pyinit import files, identity, processes
from pyinit.errors import Failure
from pyinit.escape import printable
from pyinit.processes import Process

HEADER = f"{'PID':>7} {'USER':<8} S {'AGE':>5} {'MEMORY':>9}  COMMAND"
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
    users = _users()
    lines = [HEADER]
    pending = [(0, each) for each in reversed(children.get(0, []))]
    while pending:
        depth, process = pending.pop()
        lines.append(_line(process, depth, users, known, colours))
        pending += [(depth + 1, each) for each in reversed(children.get(process.pid, []))]
    return "\n".join(lines) + "\n"


def _line(
    process: Process,
    depth: int,
    users: dict[int, str],
    known: dict[int, Process],
    colours: bool,
) -> str:
    user, memory = _owner(process.pid)
    name = "?" if user is None else users.get(user, str(user))
    words = "  " * depth + _command(process)
    if not process.alive:
        words += f" <zombie: {_culprit(known.get(process.parent), process.parent)}>"
    age = _age(process.age)
    line = f"{process.pid:>7} {name:<8} {process.state} {age:>5} {memory:>7} K  {words}"
    return f"{RED}{line}{PLAIN}" if colours and not process.alive else line


def _culprit(parent: Process | None, pid: int) -> str:
    if parent is None:
        return "its parent is outside and does not wait for it"
    return f"{pid} {printable(parent.command)} does not wait for it"


def _owner(pid: int) -> tuple[int | None, int]:
    """The effective user's number and the resident memory in KB, as /proc/PID/status has them."""
    user, memory = None, 0
    try:
        for line in files.read(f"/proc/{pid}/status").splitlines():
            if line.startswith(b"Uid:"):
                user = int(line.split()[2])
            elif line.startswith(b"VmRSS:"):
                memory = int(line.split()[1])
    except OSError:
        pass
    return user, memory


def _command(process: Process) -> str:
    """The command line, or the name in brackets where there is none: kernel threads and zombies."""
    try:
        words = files.read(f"/proc/{process.pid}/cmdline").rstrip(b"\0").split(b"\0")
    except OSError:
        words = []
    text = " ".join(os.fsdecode(each) for each in words)
    return printable(text) if text else f"[{printable(process.command)}]"


def _users() -> dict[int, str]:
    entries = identity.entries(identity.PASSWD)
    return {int(each[2]): printable(os.fsdecode(each[0])[:8]) for each in entries if len(each[2]) <= identity.DIGITS}


def _age(seconds: float) -> str:
    """Seconds in the largest unit that leaves a number: 59s, 59m, 47h, 3d."""
    whole = int(seconds)
    for unit, size, most in (("s", 1, 60), ("m", 60, 3600), ("h", 3600, 172800)):
        if whole < most:
            return f"{whole // size}{unit}"
    return f"{whole // 86400}d"
