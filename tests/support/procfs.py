"""What /proc says about a process; each reader says what it returns for a process that is gone.

It raises an error where any value could be taken for a good one: no descriptors, no wake-ups.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from tests.support.syscalls import name_of

Signals = frozenset[int]


def read(pid: int, name: str) -> bytes:
    """Return a file of /proc/PID; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def status(pid: int) -> dict[str, str]:
    """Return the fields of /proc/PID/status; empty when the process is gone."""
    lines = read(pid, "status").decode(errors="surrogateescape").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third (state) on; empty when it is gone."""
    return read(pid, "stat").decode(errors="surrogateescape").rpartition(")")[2].split()


def state(pid: int) -> str:
    """Return the state's letter (R, S, T, Z ...); empty when the process is gone."""
    return status(pid).get("State", "")[:1]


def alive(pid: int) -> bool:
    """Return True if the process exists and is not a zombie."""
    return state(pid) not in ("", "Z", "X")


def parent(pid: int) -> int:
    """Return the parent's pid; 0 when the process is gone."""
    return int(status(pid).get("PPid", "0"))


def group(pid: int) -> int:
    """Return the process group; 0 when the process is gone."""
    fields = stat(pid)
    return int(fields[2]) if fields else 0


def session(pid: int) -> int:
    """Return the session; 0 when the process is gone."""
    fields = stat(pid)
    return int(fields[3]) if fields else 0


def foreground(pid: int) -> int:
    """Return the foreground group of the process's terminal; -1 without a terminal."""
    fields = stat(pid)
    return int(fields[5]) if fields else -1


def children(pid: int) -> list[int]:
    """Return the children of all threads, zombies too, in the order of their pids; none if it is gone."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, read(pid, f"task/{task}/children").split())
    return sorted(found)


def descendants(pid: int) -> list[int]:
    """Return the children, their children and so on, parents first."""
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def command(pid: int) -> list[str]:
    """Return the command line; empty for a zombie, and when the process is gone."""
    text = read(pid, "cmdline").decode(errors="surrogateescape")
    return text.removesuffix("\0").split("\0") if text else []


def title(pid: int) -> str:
    """Return what ps shows, without the blanks behind a title; empty when the process is gone."""
    return " ".join(command(pid)).rstrip()


def environment(pid: int) -> list[bytes]:
    """Return the environment that the process was started with, entry by entry."""
    text = read(pid, "environ")
    return text.removesuffix(b"\0").split(b"\0") if text else []


def signals(pid: int, field: str) -> Signals:
    """Return the signals in SigBlk, SigIgn, SigCgt, SigPnd or ShdPnd; empty when it is gone."""
    mask = int(status(pid).get(field, "0"), 16)
    return frozenset(number for number in range(1, 65) if mask >> (number - 1) & 1)


def descriptors(pid: int) -> dict[int, str]:
    """Return what each open descriptor is, without those closed meanwhile; FileNotFoundError when it is gone."""
    found = {}
    for entry in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found[int(entry)] = os.readlink(f"/proc/{pid}/fd/{entry}")
    return found


def directory(pid: int) -> str:
    """Return the current directory; FileNotFoundError when the process is gone."""
    return os.readlink(f"/proc/{pid}/cwd")


def zombies(pids: Iterable[int]) -> list[int]:
    """Return those of the processes that are zombies."""
    return [pid for pid in pids if state(pid) == "Z"]


def sleeping_for(pid: int) -> list[str]:
    """Return number and arguments of the system call that the process sleeps in; empty when it runs."""
    fields = read(pid, "syscall").decode().split()
    return fields if len(fields) > 1 and fields[0] != "-1" else []


def sleeping_in(pid: int) -> str:
    """Return the name of the system call that the process sleeps in; empty when it runs."""
    return name_of(sleeping_for(pid))


def switches(pid: int) -> int:
    """Return how often the process has gone to sleep (each wake-up ends with that); KeyError when it is gone."""
    return int(status(pid)["voluntary_ctxt_switches"])


def rests(pid: int) -> bool:
    """Return True if the process sleeps and has no signal pending."""
    # In this order: once it sleeps, what was pending before has been taken.
    pending = signals(pid, "ShdPnd") | signals(pid, "SigPnd")
    return not pending and state(pid) == "S"
