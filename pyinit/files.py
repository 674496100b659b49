"""Reading a small file whole, by system calls alone: `open` would bring buffers, codecs and locales along."""

from __future__ import annotations

import os

# What most files in /proc fit in; a larger buffer would spread over pages that are fresh.
ENOUGH = 4096


def read(path: str | bytes, most: int = 1 << 22) -> bytes:
    """What the file holds, `most` bytes at the most. Raises OSError as open(2) and read(2) do."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        parts = []
        left = most
        while left > 0 and (part := os.read(descriptor, min(left, ENOUGH))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
