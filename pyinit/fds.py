"""Init's own descriptors: never 0 to 2, where the payload's streams belong even if they are closed."""

from __future__ import annotations

import fcntl
import os

FIRST = 3


def above_standard(descriptor: int) -> int:
    """The same open file at 3 or above, not inherited. A descriptor that was 0, 1 or 2 is closed."""
    if descriptor >= FIRST:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST)
    finally:
        os.close(descriptor)


def move(descriptor: int, place: int) -> None:
    """Moves one to the number `place`, which is not above it."""
    if descriptor != place:
        os.dup2(descriptor, place, inheritable=False)
