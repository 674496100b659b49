"""Init's own file descriptors: never 0 to 2, which are the payload's streams even if they are closed."""

from __future__ import annotations

import fcntl
import os

FIRST = 3


def dup_above_stderr(descriptor: int) -> int:
    """Return a close-on-exec descriptor of the same open file that is 3 or above. One below 3 is closed."""
    if descriptor >= FIRST:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST)
    finally:
        os.close(descriptor)


def renumber(descriptor: int, target: int) -> None:
    """Duplicate a descriptor to `target`, which is not above it. The old one stays open, for close_range to close."""
    if descriptor != target:
        os.dup2(descriptor, target, inheritable=False)
