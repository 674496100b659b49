"""Exit codes of init's own making, and the failure that carries one of them.

The numbers are docker's and every shell's: 127 for a program that was not found, 126 for one that cannot be
executed, 125 for the tool itself (moby #6734); a payload killed by signal n ends with 128+n.
"""

from __future__ import annotations

INTERNAL = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127
BY_SIGNAL = 128


class Failure(Exception):
    """What makes the job impossible: one line for the user and the exit code (0 to 255) that goes with it."""

    def __init__(self, message: str, code: int = INTERNAL) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
