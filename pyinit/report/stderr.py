"""Write to standard error without waiting for its reader.

Init shares standard error with the payload, so it must not make it non-blocking: that is a property of the open file,
not of the descriptor. Polling first is not enough: another writer may fill the pipe between poll and write. So each
write itself must be one that does not wait. This module tries, in this order:

- RWF_NOWAIT (pwritev2(2)), for pipes since Linux 6.4, and for sockets. A regular file may refuse it if it has to
  allocate blocks (btrfs, XFS); it never waits for a reader, so it is written to without the flag;
- MSG_DONTWAIT, for sockets on older kernels;
- opening terminals and FIFOs, and pipes on older kernels, once more through /proc, non-blocking: that is another open
  file. Regular files must not be opened again, because of O_APPEND and their position;
- poll, then a write that a pipe takes as a whole. Only here the other writer may win. It is used if the file may not be
  opened, and for a terminal without /proc.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import stat

from pyinit import native, signals

STANDARD_ERROR = 2
REOPENED = "/proc/self/fd/2"
# pipe(7), PIPE_BUF: a write of this size is done as a whole, or not at all.
ATOMIC = 4096
# The signals that these errors of write(2) cause. They must not be forwarded.
ERROR_SIGNALS = {errno.EPIPE: signals.PIPE, errno.EFBIG: signals.XFSZ}


def write(data: bytes) -> int:
    """Write what can be written without waiting; return the number of bytes, fewer than given after an error."""
    done = 0
    try:
        written = -1
        while done < len(data) and written:
            written = _write(data[done : done + ATOMIC])
            done += written
    except OSError as error:
        if error.errno in ERROR_SIGNALS:
            _consume_signal(ERROR_SIGNALS[error.errno])
    return done


def _consume_signal(number: int) -> None:
    """Take a pending signal that this thread has caused: it comes before one that was sent to the process."""
    try:
        signal.sigtimedwait({number}, 0)
    except OSError:
        pass


def _write(piece: bytes) -> int:
    try:
        return native.write_nowait(STANDARD_ERROR, piece)
    except OSError as error:
        if error.errno in (errno.EBADF, *ERROR_SIGNALS):
            raise
        status = os.fstat(STANDARD_ERROR)
        if error.errno == errno.EAGAIN and not stat.S_ISREG(status.st_mode):
            raise
    # This kind of file does not support it, the kernel is too old, or a seccomp profile forbids it.
    if stat.S_ISREG(status.st_mode):
        return os.write(STANDARD_ERROR, piece)
    if stat.S_ISSOCK(status.st_mode):
        return _send(piece)
    opened = _reopen(status)
    if opened is None:
        return _poll_and_write(piece)
    try:
        return os.write(opened, piece)
    finally:
        os.close(opened)


def _send(piece: bytes) -> int:
    import _socket

    socket = _socket.socket(fileno=STANDARD_ERROR)
    try:
        return socket.send(piece, _socket.MSG_DONTWAIT)
    finally:
        socket.detach()


def _reopen(status: os.stat_result) -> int | None:
    """Open the same FIFO or terminal once more; return the descriptor, or None if that is not possible."""
    if not stat.S_ISFIFO(status.st_mode) and not os.isatty(STANDARD_ERROR):
        return None
    if fcntl.fcntl(STANDARD_ERROR, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        # Init was given it for reading only.
        return None
    try:
        opened = os.open(REOPENED, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    # Without a mounted /proc, an image may have any file of that name.
    found = os.fstat(opened)
    if (found.st_dev, found.st_ino) == (status.st_dev, status.st_ino):
        return opened
    os.close(opened)
    return None


def _poll_and_write(piece: bytes) -> int:
    if not _is_writable():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return os.write(STANDARD_ERROR, piece)


def _is_writable() -> bool:
    poll = select.poll()
    poll.register(STANDARD_ERROR, select.POLLOUT)
    try:
        return bool(poll.poll(0))
    except OSError:
        # A seccomp profile may forbid poll, and the line may be about that.
        return bool(select.select([], [STANDARD_ERROR], [], 0)[1])
