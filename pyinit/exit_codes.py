"""Exit codes: init's own, the failure that carries one of them, and what a wait status stands for (wait(2)).

The numbers are docker's and every shell's: 127 for a program that was not found, 126 for one that cannot be
executed, 125 for the tool itself (moby #6734); a payload killed by signal n ends with 128+n.
"""

from __future__ import annotations

import os

from pyinit import signals

INTERNAL = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127
BY_SIGNAL = 128
# Of a process killed by KILL, as shells and engines know it.
KILLED = BY_SIGNAL + signals.KILL


class Failure(Exception):
    """What makes the job impossible: one line for the user and the exit code (0 to 255) that goes with it."""

    def __init__(self, message: str, code: int = INTERNAL) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def exit_code(status: int) -> int:
    """The exit code, 0 to 255, that a wait status stands for: 128+n when signal n killed the process."""
    if os.WIFSIGNALED(status):
        return BY_SIGNAL + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def describe_exit(status: int) -> str:
    """Return how a process ended, from its wait status: `exit code 3`, `killed by TERM`."""
    if os.WIFSIGNALED(status):
        return f"killed by {signals.name(os.WTERMSIG(status))}"
    return f"exit code {os.WEXITSTATUS(status)}"
