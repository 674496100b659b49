"""Signals in the window between a container's creation and the payload's exec: none is lost.

Here runc's own helper died of them with 2 (runc #5189), and other inits lose some: `python -m
tests.engines.signal_window` counts how many.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.engines.oci import Configuration, Runc
from tests.engines.signal_window import SECOND, SIGNALS, TRIES, WINDOW, Outcomes, client, spread, told, tried, watched
from tests.engines.support import pid_inside, run
from tests.support.procfs import children
from tests.support.summary import Count
from tests.support.wide import wide

HEADING = "signals in the first 3 ms of an init (after: it had blocked or started something before)"


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_no_signal_in_inits_first_milliseconds_is_lost_under_unshare(
    frozen: Path, count: Count, number: signal.Signals
) -> None:
    """Once pyinit has made its first system call, each signal ends in 128+n."""
    outcomes = spread([str(frozen), "--"], number, TRIES)
    count(HEADING, told("pyinit (unshare)", number, outcomes))
    only_legal(outcomes, number)


@pytest.mark.parametrize("number", wide(SIGNALS, signal.SIGTERM), ids=lambda number: number.name)
def test_no_signal_in_inits_first_milliseconds_is_lost_under_runc(
    storage: Path, bare: Path, count: Count, number: signal.Signals
) -> None:
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


def only_legal(outcomes: Outcomes, number: int) -> None:
    """Fail if a signal was lost that came after the first system call, or a code is none of ours."""
    legal = {("after", 128 + number), ("before", 128 + number), ("before", 128 + SECOND)}
    assert set(outcomes) <= legal, outcomes
    # Or the test would prove nothing.
    assert outcomes["after", 128 + number] > TRIES / 10, outcomes


def runc_init(process: subprocess.Popen[bytes]) -> int:
    """The pid of runc's helper that is going to execute the init."""

    def found() -> int:
        return next((pid for pid in children(process.pid) if pid_inside(pid) == 1), 0)

    return watched(found, "runc's helper")
