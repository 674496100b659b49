"""Signals in the window between a container's creation and the payload's exec: none is lost.

Here runc's own helper died of them with 2 (runc #5189), and other inits lose some: the signal comes
before they listen, or after they listen but before the payload's group exists.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from tests.counts import Count
from tests.engines.oci import Configuration, Runc
from tests.engines.support import PATIENCE, pid_inside, run
from tests.needed import need
from tests.processes import children, read, signals
from tools.namespace import NAMESPACE

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
TRIES = 300  # of each signal; a peer gets a fifth of them
WINDOW = 3e-3  # seconds after the init's execve over which the tries are spread
# Sent when the payload runs. Higher numbers are delivered later: who ends of it has lost the first.
SECOND = signal.SIGRTMIN + 5
HEADING = "signals in the first 3 ms of an init (after: it had blocked or started something before)"
PEERS = {
    "tini": ("tini-static", "--"),
    "tini -g": ("tini-static", "-g", "--"),
    "dumb-init": ("dumb-init", "--"),
    "catatonit": ("catatonit", "--"),
    "catatonit -g": ("catatonit", "-g", "--"),
}
Found = TypeVar("Found")
# "after" or "before" the init listened, and the container's exit code.
Outcomes = Counter[tuple[str, int]]


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_none_is_lost_under_unshare(frozen: Path, count: Count, number: signal.Signals) -> None:
    """Once pyinit has made its first system call, each signal ends in 128+n."""
    outcomes: Outcomes = Counter()
    for each in range(TRIES):
        outcomes[in_namespace([str(frozen), "--"], number, WINDOW * each / TRIES)] += 1
    count(HEADING, told("pyinit (unshare)", number, outcomes))
    only_legal(outcomes, number)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_none_is_lost_under_runc(storage: Path, bare: Path, count: Count, number: signal.Signals) -> None:
    """The same where runc's helper becomes pyinit."""
    runc = Runc(storage / f"window-{number.name}", bare)
    runc.change = only_what_matters
    bundle = runc.bundle("all", ["sleep", "1000"], {})
    outcomes: Outcomes = Counter()
    for each in range(TRIES):
        name = f"pyinit-{os.getpid()}-window-{number.name}-{each}"
        try:
            with client(runc.client("run", "--bundle", str(bundle), name)) as process:
                delay = WINDOW * each / TRIES
                outcomes[tried(process, runc_init(process), "pyinit", number, delay)] += 1
        finally:
            if process.returncode == -signal.SIGKILL:
                run(*runc.client("delete", "--force", name), check=False)
    count(HEADING, told("pyinit -g (runc)", number, outcomes))
    only_legal(outcomes, number)


def only_what_matters(configuration: Configuration) -> None:
    """Leave out the namespaces that take the kernel long to make and to remove."""
    namespaces = configuration["linux"]["namespaces"]
    configuration["linux"]["namespaces"] = [each for each in namespaces if each["type"] in ("pid", "mount", "ipc")]
    configuration.pop("hostname")
    configuration["mounts"] = [each for each in configuration["mounts"] if each["type"] != "sysfs"]
    configuration["linux"].pop("maskedPaths")


@pytest.mark.parametrize("peer", PEERS)
def test_how_many_the_others_lose(count: Count, peer: str) -> None:
    """Counted, not judged: on another machine their luck may be better."""
    program = PEERS[peer]
    need(program[0])
    for number in SIGNALS:
        outcomes: Outcomes = Counter()
        for each in range(TRIES // 5):
            outcomes[in_namespace(program, number, WINDOW * each * 5 / TRIES)] += 1
        assert outcomes.total() == TRIES // 5
        count(HEADING, told(f"{peer} (unshare)", number, outcomes))


def only_legal(outcomes: Outcomes, number: int) -> None:
    """Fail if a signal was lost that came after the first system call, or a code is none of ours."""
    legal = {("after", 128 + number), ("before", 128 + number), ("before", 128 + SECOND)}
    assert set(outcomes) <= legal, outcomes
    # Or the test would prove nothing.
    assert outcomes["after", 128 + number] > TRIES / 10, outcomes


def told(init: str, number: signal.Signals, outcomes: Outcomes) -> str:
    """Return the line that the run prints for an init and a signal."""
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


def runc_init(process: subprocess.Popen[bytes]) -> int:
    """Return the pid of runc's helper that is going to execute the init."""

    def found() -> int:
        return next((pid for pid in children(process.pid) if pid_inside(pid) == 1), 0)

    return watched(found, "runc's helper")


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
    """Return a client's exit code as soon as it has one; Popen.wait would look every 50 ms."""
    if process.returncode is not None:
        return process.returncode
    descriptor = os.pidfd_open(process.pid)
    try:
        assert select.select([descriptor], [], [], PATIENCE)[0], "the container has not ended"
    finally:
        os.close(descriptor)
    return process.wait()


def payload_runs(init: int) -> bool:
    """Tell whether the payload has been executed."""
    return any(comm(pid) == "sleep" for pid in children(init))


def comm(pid: int) -> str:
    """Return the name that the kernel gives a process; empty if it is gone."""
    return read(pid, "comm").decode().strip()


def watched(condition: Callable[[], Found], what: str) -> Found:
    """Wait for something without sleeping, for it counts in microseconds."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, what
    return value
