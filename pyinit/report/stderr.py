"""Writing to standard error without ever waiting for whoever reads it.

It is shared with the payload, so it must not be made non-blocking: that is a property of the open file, not of the
descriptor. And to poll first is not enough: another writer may fill the pipe between poll and write. So each write
says by itself that it must not wait, in the first of these ways that there is:

- RWF_NOWAIT (pwritev2(2)) asks for nothing more; pipes since Linux 6.4, and sockets. A regular file may refuse what
  it has to allocate blocks for (btrfs, XFS): as it makes nobody wait, that is written without;
- MSG_DONTWAIT, for sockets on older kernels;
- terminals, FIFOs, and pipes on older kernels are opened once more through /proc, non-blocking: that is another open
  file. Regular files must not be, because of O_APPEND and their position;
- poll, and at most what a pipe takes in one piece. Here alone the other writer may win; it is what remains if the file
  may not be opened, or for a terminal without /proc.
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
AGAIN = "/proc/self/fd/2"
# pipe(7): as much is written in one piece, or not at all.
ATOMIC = 4096
# The signals that come with these errors of write(2): init's own doing, and not to be forwarded.
OF_WRITES = {errno.EPIPE: signals.PIPE, errno.EFBIG: signals.XFSZ}


def write(data: bytes) -> int:
    """Writes what is taken at once and returns how many bytes that was; all of them, if all is well."""
    done = 0
    try:
        taken = -1
        while done < len(data) and taken:
            taken = _write(data[done : done + ATOMIC])
            done += taken
    except OSError as error:
        if error.errno in OF_WRITES:
            _take(OF_WRITES[error.errno])
    return done


def _take(number: int) -> None:
    """It is pending for this thread, and taken before one that was sent to init as a whole."""
    try:
        signal.sigtimedwait({number}, 0)
    except OSError:
        pass


def _write(piece: bytes) -> int:
    try:
        return native.write_nowait(STANDARD_ERROR, piece)
    except OSError as error:
        if error.errno in (errno.EBADF, *OF_WRITES):
            raise
        status = os.fstat(STANDARD_ERROR)
        if error.errno == errno.EAGAIN and not stat.S_ISREG(status.st_mode):
            raise
    # This kind of file cannot, the kernel is too old, or a seccomp profile forbids it.
    if stat.S_ISREG(status.st_mode):
        return os.write(STANDARD_ERROR, piece)
    if stat.S_ISSOCK(status.st_mode):
        return _send(piece)
    opened = _open_again(status)
    if opened is None:
        return _write_if_there_is_room(piece)
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


def _open_again(status: os.stat_result) -> int | None:
    """A descriptor of its own for the same FIFO or terminal; None if there is no way to it."""
    if not stat.S_ISFIFO(status.st_mode) and not os.isatty(STANDARD_ERROR):
        return None
    if fcntl.fcntl(STANDARD_ERROR, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        # It was not given for writing.
        return None
    try:
        opened = os.open(AGAIN, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    # Where nothing is mounted on /proc, an image may hold any file of that name.
    found = os.fstat(opened)
    if (found.st_dev, found.st_ino) == (status.st_dev, status.st_ino):
        return opened
    os.close(opened)
    return None


def _write_if_there_is_room(piece: bytes) -> int:
    if not _has_room():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return os.write(STANDARD_ERROR, piece)


def _has_room() -> bool:
    poll = select.poll()
    poll.register(STANDARD_ERROR, select.POLLOUT)
    try:
        return bool(poll.poll(0))
    except OSError:
        # A seccomp profile may forbid it, and that may be what there is to say.
        return bool(select.select([], [STANDARD_ERROR], [], 0)[1])
