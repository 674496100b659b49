"""Sends a signal in the first milliseconds of an init: before it listens, or before the payload's group exists.

python -m tests.engines.signal_window        counts how many the peers lose
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from tests.engines.support import PATIENCE
from tests.peers.commands import AS_PID1, WITH_GROUP
from tests.support.procfs import children, read, signals
from tools.namespace import NAMESPACE

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
TRIES = 300  # of each signal
WINDOW = 3e-3  # seconds after the init's execve over which the tries are spread
# Sent when the payload runs. Higher numbers are delivered later: who ends of it has lost the first.
SECOND = signal.SIGRTMIN + 5
Found = TypeVar("Found")
# "after" or "before" the init listened, and the container's exit code.
Outcomes = Counter[tuple[str, int]]


def main() -> None:
    """Print a line for each peer and signal."""
    for table in (AS_PID1, WITH_GROUP):
        for name, options in table.items():
            if shutil.which(name):
                for number in SIGNALS:
                    print(told(" ".join([name, *options]), number, spread([name, *options], number, TRIES)))


def spread(init: Sequence[str], number: int, tries: int) -> Outcomes:
    """What becomes of so many tries, spread over the window."""
    return Counter(in_namespace(init, number, WINDOW * each / tries) for each in range(tries))


def told(init: str, number: signal.Signals, outcomes: Outcomes) -> str:
    """The line that is printed for an init and a signal."""
    lost = {
        moment: sum(many for (when, code), many in outcomes.items() if when == moment and code != 128 + number)
        for moment in ("before", "after")
    }
    return (
        f"{init:22} {number.name:8} {outcomes.total():4} sent"
        f" {lost['before']:4} lost before {lost['after']:4} lost after"
    )


@contextlib.contextmanager
def client(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start an engine's client; kill it if it has not ended by itself."""
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=null, stdout=null, stderr=null)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def in_namespace(init: Sequence[str], number: int, delay: float) -> tuple[str, int]:
    """Try once with this init as PID 1 of a PID namespace of its own."""
    with client([*NAMESPACE, *init, "sleep", "1000"]) as process:
        pid = watched(lambda: next(iter(children(process.pid)), 0), "unshare's child")
        return tried(process, pid, Path(init[0]).name, number, delay)


def tried(process: subprocess.Popen[bytes], init: int, name: str, number: int, delay: float) -> tuple[str, int]:
    """Send a signal `delay` seconds after the init's execve; when that was, and the exit code."""
    # By descriptor: what has ended meanwhile gets nothing, nor does somebody with its number.
    descriptor = os.pidfd_open(init)
    try:
        watched(lambda: comm(init) == name, f"{name} is executed")
        end = time.perf_counter() + delay
        while time.perf_counter() < end:
            pass
        # In sigtimedwait the kernel shows as blocked only what is not waited for.
        listens = signals(init, "SigBlk") or children(init)
        signal.pidfd_send_signal(descriptor, number)
        watched(lambda: payload_runs(init) or process.poll() is not None, "the payload runs")
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, SECOND)
    finally:
        os.close(descriptor)
    return ("after" if listens else "before"), ended(process)


def ended(process: subprocess.Popen[bytes]) -> int:
    """A client's exit code as soon as it has one; Popen.wait would look every 50 ms."""
    if process.returncode is not None:
        return process.returncode
    descriptor = os.pidfd_open(process.pid)
    try:
        assert select.select([descriptor], [], [], PATIENCE)[0], "the container has not ended"
    finally:
        os.close(descriptor)
    return process.wait()


def payload_runs(init: int) -> bool:
    """Whether the payload has been executed."""
    return any(comm(pid) == "sleep" for pid in children(init))


def comm(pid: int) -> str:
    """The name that the kernel gives a process; empty if it is gone."""
    return read(pid, "comm").decode().strip()


def watched(condition: Callable[[], Found], what: str) -> Found:
    """Wait for something without sleeping, for it counts in microseconds."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, what
    return value


if __name__ == "__main__":
    main()
