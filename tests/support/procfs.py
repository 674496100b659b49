"""What /proc says about a process; each reader has its own answer for one that is gone.

An error, where a test would take any other for a good one: that has no descriptor, and does not wake up.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from tests.support.syscalls import name_of

Signals = frozenset[int]


def read(pid: int, name: str) -> bytes:
    """A file of /proc/PID; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def status(pid: int) -> dict[str, str]:
    """The fields of /proc/PID/status; empty when the process is gone."""
    lines = read(pid, "status").decode(errors="surrogateescape").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third (state) on; empty when it is gone."""
    return read(pid, "stat").decode(errors="surrogateescape").rpartition(")")[2].split()


def state(pid: int) -> str:
    """The state's letter (R, S, T, Z ...); empty when the process is gone."""
    return status(pid).get("State", "")[:1]


def alive(pid: int) -> bool:
    """Whether the process can still do something: it exists and is no zombie."""
    return state(pid) not in ("", "Z", "X")


def parent(pid: int) -> int:
    """The parent's pid; 0 when the process is gone."""
    return int(status(pid).get("PPid", "0"))


def group(pid: int) -> int:
    """The process group; 0 when the process is gone."""
    fields = stat(pid)
    return int(fields[2]) if fields else 0


def session(pid: int) -> int:
    """The session; 0 when the process is gone."""
    fields = stat(pid)
    return int(fields[3]) if fields else 0


def foreground(pid: int) -> int:
    """The foreground group of the process' terminal; -1 without a terminal."""
    fields = stat(pid)
    return int(fields[5]) if fields else -1


def children(pid: int) -> list[int]:
    """The children of all threads, zombies too, in the order of their pids; none if it is gone."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, read(pid, f"task/{task}/children").split())
    return sorted(found)


def descendants(pid: int) -> list[int]:
    """The children, their children and so on, parents first."""
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def command(pid: int) -> list[str]:
    """The command line; empty for a zombie, and when the process is gone."""
    text = read(pid, "cmdline").decode(errors="surrogateescape")
    return text.removesuffix("\0").split("\0") if text else []


def title(pid: int) -> str:
    """What ps shows; empty when the process is gone. What a title leaves over of the old words is blank."""
    return " ".join(command(pid)).rstrip()


def environment(pid: int) -> list[bytes]:
    """The environment that the process was started with, entry by entry."""
    text = read(pid, "environ")
    return text.removesuffix(b"\0").split(b"\0") if text else []


def signals(pid: int, field: str) -> Signals:
    """The signals in SigBlk, SigIgn, SigCgt, SigPnd or ShdPnd; empty when it is gone."""
    mask = int(status(pid).get(field, "0"), 16)
    return frozenset(number for number in range(1, 65) if mask >> (number - 1) & 1)


def descriptors(pid: int) -> dict[int, str]:
    """What each open descriptor is; those closed meanwhile are left out. FileNotFoundError when the process is gone."""
    found = {}
    for entry in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found[int(entry)] = os.readlink(f"/proc/{pid}/fd/{entry}")
    return found


def directory(pid: int) -> str:
    """The current directory; FileNotFoundError when the process is gone."""
    return os.readlink(f"/proc/{pid}/cwd")


def zombies(pids: Iterable[int]) -> list[int]:
    """Those of the processes that have ended and were not waited for."""
    return [pid for pid in pids if state(pid) == "Z"]


def sleeping_for(pid: int) -> list[str]:
    """Number and arguments of the system call that the process sleeps in; empty when it runs."""
    fields = read(pid, "syscall").decode().split()
    return fields if len(fields) > 1 and fields[0] != "-1" else []


def sleeping_in(pid: int) -> str:
    """The name of the system call that the process sleeps in; empty when it runs."""
    return name_of(sleeping_for(pid))


def switches(pid: int) -> int:
    """How often the process has gone to sleep so far (each wake-up ends with one); KeyError when it is gone."""
    return int(status(pid)["voluntary_ctxt_switches"])


def rests(pid: int) -> bool:
    """Whether the process has no signal to take, and sleeps."""
    # In this order: once it sleeps, what was pending before has been taken.
    pending = signals(pid, "ShdPnd") | signals(pid, "SigPnd")
    return not pending and state(pid) == "S"
