"""Ends what a test has started, and sees to it that nothing of it can hide."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Collection

from tests.support import procfs
from tests.support.polling import PATIENCE, NotInTimeError, until

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
    until(lambda: not procfs.alive(pid), f"the end of {pid}, killed", timeout)


def left_running(before: Collection[int], patience: float = 10.0) -> list[str]:
    """Kill all of our children, an init's orphans too, that are not in `before`; return their pids and commands.

    `patience` is how many seconds they get to exit first. Raise AssertionError if one cannot be killed.
    """

    def left() -> list[int]:
        return [pid for pid in set(procfs.children(os.getpid())) - set(before) if not _reaped(pid)]

    def left_of_the_killed() -> list[int]:
        # Those of them that they leave behind are ours now.
        for pid in left():
            kill(pid)
        return left()

    with contextlib.suppress(NotInTimeError):
        until(lambda: not left(), "no processes left", patience)
    running = [f"{pid} {' '.join(procfs.command(pid))!r}" for pid in left()]
    until(lambda: not left_of_the_killed(), lambda: f"the end of what was left and killed: {', '.join(running)}")
    return running


def _reaped(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG) != (0, 0)
    return True
