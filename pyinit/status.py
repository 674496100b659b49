"""What a wait status means (wait(2)): an exit code, and in words."""

from __future__ import annotations

import os

from pyinit import errors, signals


def exit_code(status: int) -> int:
    """The exit code, 0 to 255, that a wait status stands for: 128+n when signal n killed the process."""
    if os.WIFSIGNALED(status):
        return errors.BY_SIGNAL + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def fate(status: int) -> str:
    """How a process ended, from its wait status: `exit code 3`, `killed by TERM`."""
    if os.WIFSIGNALED(status):
        return f"killed by {signals.name(os.WTERMSIG(status))}"
    return f"exit code {os.WEXITSTATUS(status)}"
