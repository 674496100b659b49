"""Read files in bounded memory and time.

An image or a payload may put anything in a file's place: an endless file, one long line, or nothing but line ends.
This module uses system calls only, because Python's `open` needs buffers, codecs and locales.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

# Bytes per read(2). Most files in /proc fit; a larger buffer would dirty new pages of the heap.
CHUNK_SIZE = 4096
# The most bytes of a file that are kept. The files in /proc and /sys/fs/cgroup that are read whole are shorter, and so
# is a line of group(5) with 5,000 members.
LONGEST = 1 << 16
# The most bytes that are read from a file: enough for 50,000 users in passwd(5).
MOST = 1 << 22
# The most lines of a file that are returned.
MOST_LINES = 10_000


def read(path: str | bytes, most: int = LONGEST) -> bytes:
    """Return the content of a file, `most` bytes at the most. Raises OSError as open(2) and read(2) do."""
    return b"".join(_chunks(path, most))


def lines(path: str, text: bytes) -> Iterator[bytes]:
    """Yield the lines of a file that contain `text`, without line ends, while the file is read.

    Raises OSError as `pieces` does, and EFBIG if there are more than MOST_LINES of these lines.
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
                raise OSError(errno.EFBIG, f"more than {MOST_LINES} of its lines match")
            left -= 1
            yield piece[start:end]
            at = piece.find(text, end)


def pieces(path: str, separator: bytes) -> Iterator[bytes]:
    """Yield a file in pieces while it is read. A piece ends where a separator of one byte was, and may contain others.

    Raises OSError as open(2) and read(2) do, and EFBIG if there are more than LONGEST bytes without a separator, or
    more than MOST in all.
    """
    unfinished = b""
    length = 0
    for chunk in _chunks(path, MOST + 1):
        length += len(chunk)
        if length > MOST:
            raise OSError(errno.EFBIG, f"it has more than {MOST} bytes")
        finished, found, rest = chunk.rpartition(separator)
        if found:
            yield unfinished + finished
            unfinished = rest
        else:
            unfinished += chunk
        if len(unfinished) > LONGEST:
            raise OSError(errno.EFBIG, f"it has a line of more than {LONGEST} bytes")
    yield unfinished


def _chunks(path: str | bytes, most: int) -> Iterator[bytes]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        left = most
        while left > 0 and (chunk := os.read(descriptor, min(left, CHUNK_SIZE))):
            yield chunk
            left -= len(chunk)
    finally:
        try:
            os.close(descriptor)
        except OSError:
            # Nothing was written, so no data is lost. A caller that has found its line does not need to know.
            pass
