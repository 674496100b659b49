"""What the engines' tests share: running a client, and waiting patiently."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tests.support import polling, procfs

Value = TypeVar("Value")
PATIENCE = 120.0  # seconds; engines and daemons are slower than what else is tested


def until(condition: Callable[[], Value | None], what: str | Callable[[], str], timeout: float = PATIENCE) -> Value:
    """The condition's value as soon as it is true; see tests/support/polling.py."""
    return polling.until(condition, what, timeout)


def run(*words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command of an engine to its end; its output goes into the failure's message."""
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
        timeout=PATIENCE,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done


def pid_inside(pid: int) -> int:
    """The pid that a process has in its own PID namespace; 0 if it is gone."""
    return int(procfs.status(pid).get("NSpid", "0").split()[-1])


def running(pid: int, *words: str) -> list[int]:
    """Those children of a process that run exactly this command line."""
    return [child for child in procfs.children(pid) if procfs.command(child) == list(words)]


def mounts() -> list[str]:
    """The mount points of this machine."""
    return [line.split(" ")[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def cgroups() -> list[Path]:
    """The folders of all cgroups of this machine."""
    return [Path(folder) for folder, _, _ in os.walk("/sys/fs/cgroup")]


def processes_that_name(folder: Path) -> list[Sequence[str]]:
    """The command lines of living processes that contain this folder's path."""
    lines = [procfs.command(int(name)) for name in os.listdir("/proc") if name.isdigit()]
    return [words for words in lines if any(str(folder) in word for word in words)]
