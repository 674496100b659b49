"""What the engines' tests share: awaiting a condition, looking at processes from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

Found = TypeVar("Found")
REPOSITORY = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds until what should have happened counts as not happening
FROZEN = REPOSITORY / "dist" / "pyinit"


def need(*programs: str) -> None:
    """Give up on a test whose engine is not installed: a failure in CI, a skip elsewhere."""
    for program in programs:
        if shutil.which(program) is None:
            absent(f"{program} is not installed")


def absent(what: str) -> None:
    """Fail the test in CI and skip it elsewhere, because something it needs is missing."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI must run every engine")
    pytest.skip(what)


def until(condition: Callable[[], Found], what: str, limit: float = PATIENCE) -> Found:
    """Wait for a condition to become true and return its value; `limit` in seconds."""
    end = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit:.0f} s: {what}")
        time.sleep(0.005)
    return value


def run(
    *words: str | Path, check: bool = True, timeout: float = PATIENCE
) -> subprocess.CompletedProcess[str]:
    """Run a command of an engine to its end; its output goes into the failure's message."""
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
        timeout=timeout,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done


# --- Processes, as the host sees them --------------------------------------------------------------


def children(pid: int) -> list[int]:
    """Return the pids of a process's children, zombies among them; none if it is gone."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return found
    for thread in threads:
        try:
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def descendants(pid: int) -> Iterator[int]:
    """Yield the pids of all that descends from a process."""
    for child in children(pid):
        yield child
        yield from descendants(child)


def words_of(pid: int) -> list[str]:
    """Return a process's command line; empty for a zombie or one that is gone."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [os.fsdecode(word) for word in line.split(b"\0")[:-1]]


def status(pid: int, key: str) -> str:
    """Return a line of /proc/PID/status by its key; empty if the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key + ":")), "")


def pid_inside(pid: int) -> int:
    """Return the pid that a process has in its own PID namespace; 0 if it is gone."""
    numbers = status(pid, "NSpid").split()
    return int(numbers[-1]) if numbers else 0


def running(pid: int, words: Sequence[str]) -> list[int]:
    """Return those children of a process that run exactly this command line."""
    return [child for child in children(pid) if words_of(child) == list(words)]
