"""Ends what a test has started, and sees to it that nothing of it can hide."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Collection

from tests import processes
from tests.waiting import PATIENCE, NotInTimeError, until

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt(orphans: bool = True) -> None:
    """Make what an init leaves behind our child, so that it is seen; or leave it to the next above us."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(orphans), 0, 0, 0)


def kill(pid: int) -> None:
    """Send KILL to a process, or to one that is gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_until_dead(pid: int, timeout: float = PATIENCE) -> None:
    """Wait until a process that was killed can do nothing any more; NotInTimeError if it goes on."""
    until(lambda: not processes.alive(pid), f"the end of {pid}, killed", timeout)


def left_running(before: Collection[int]) -> int:
    """Return how many children of ours run that are not among these, an init's orphans among them; end them."""
    count = 0
    for pid in set(processes.children(os.getpid())) - set(before):
        try:
            # One that has been killed may need a moment.
            wait_until_dead(pid, 2.0)
        except NotInTimeError:
            count += 1
            kill(pid)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    return count
