"""Read files in bounded memory and time, by system calls alone: `open` would bring buffers, codecs and locales along.

An image or a payload may put anything in a file's place: an endless file, one long line, or nothing but line ends.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

# What most files in /proc fit in; a larger buffer would spread over pages that are fresh.
ENOUGH = 4096
# The most bytes of a file that are kept. The files in /proc and /sys/fs/cgroup that are read whole are shorter, and so
# is a line of group(5) with 5,000 members.
LONGEST = 1 << 16
# The most bytes that are read of a file: room for 50,000 users in passwd(5).
MOST = 1 << 22
# The most lines of a file that are looked at one by one.
MOST_LINES = 10_000


def read(path: str | bytes, most: int = LONGEST) -> bytes:
    """Return what the file holds, `most` bytes at the most. Raises OSError as open(2) and read(2) do."""
    return b"".join(_parts(path, most))


def lines(path: str, text: bytes) -> Iterator[bytes]:
    """Yield a file's lines that contain `text`, without their ends, while the file is read.

    Raises OSError as `pieces` does, and EFBIG if there are more than MOST_LINES of them.
    """
    left = MOST_LINES
    for piece in pieces(path, b"\n"):
        at = piece.find(text)
        while at >= 0:
            start = piece.rfind(b"\n", 0, at) + 1
            end = piece.find(b"\n", at)
            if end < 0:
                end = len(piece)
            if not left:
                raise OSError(errno.EFBIG, f"more than {MOST_LINES} of its lines would have to be looked at")
            left -= 1
            yield piece[start:end]
            at = piece.find(text, end)


def pieces(path: str, separator: bytes) -> Iterator[bytes]:
    """Yield a file piece by piece while it is read; the pieces end where a separator of one byte stood.

    Raises OSError as open(2) and read(2) do, and EFBIG if it would take more than LONGEST bytes to the next separator,
    or MOST to the end.
    """
    begun = b""
    length = 0
    for part in _parts(path, MOST + 1):
        length += len(part)
        if length > MOST:
            raise OSError(errno.EFBIG, f"it has more than {MOST} bytes")
        ended, found, rest = part.rpartition(separator)
        if found:
            yield begun + ended
            begun = rest
        else:
            begun += part
        if len(begun) > LONGEST:
            raise OSError(errno.EFBIG, f"it has a line of more than {LONGEST} bytes")
    yield begun


def _parts(path: str | bytes, most: int) -> Iterator[bytes]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        left = most
        while left > 0 and (part := os.read(descriptor, min(left, ENOUGH))):
            yield part
            left -= len(part)
    finally:
        try:
            os.close(descriptor)
        except OSError:
            # Nothing was written, so no data is lost. A caller that has found its line does not need to know.
            pass
