"""Standard errors that cannot be written to: closed, full, broken, stopped; and how each is put right again."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import socket
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from tests.support.harness import Init
from tests.support.streams import Stream

# linux/mount.h, asm/unistd.h (x86-64): a file system of its own that is mounted nowhere.
SYS_FSOPEN, SYS_FSCONFIG, SYS_FSMOUNT = 430, 431, 432
SET_STRING, CREATE = 1, 6
PAGE = 4096


class Unwritable(NamedTuple):
    """`descriptor` is handed to the init; `relieve` makes it writable for this one, if that can be.

    `refill` makes it what it was, `read` returns what has been written to it since it was relieved.
    """

    descriptor: int
    relieve: Callable[[Init], None] | None = None
    refill: Callable[[], None] = lambda: None
    read: Callable[[], str] = str
    prepare: Sequence[str] = ()
    around: Sequence[str] = ()


def fill(descriptor: int) -> None:
    """Write until nothing more is taken."""
    os.set_blocking(descriptor, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(descriptor, b"x" * 4096):
            pass
    os.set_blocking(descriptor, True)


@contextlib.contextmanager
def _closing(*descriptors: int) -> Iterator[None]:
    """Close these at the end, whatever happens."""
    try:
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


@contextlib.contextmanager
def _flow(reader: int, writer: int) -> Iterator[Unwritable]:
    """Fill a pipe or socket; yield its writing end."""
    fill(writer)
    stream = Stream(reader)
    taken = 0

    def relieve(_: Init) -> None:
        nonlocal taken
        taken = len(stream.text)

    try:
        yield Unwritable(writer, relieve, lambda: fill(writer), lambda: stream.text[taken:])
    finally:
        stream.close()
        os.close(writer)


@contextlib.contextmanager
def closed() -> Iterator[Unwritable]:
    """Yield a standard error that is closed before the init starts."""
    with open(os.devnull, "wb") as null:
        yield Unwritable(null.fileno(), prepare=["close=2"])


@contextlib.contextmanager
def read_only() -> Iterator[Unwritable]:
    """Yield the reading end of a pipe."""
    reader, writer = os.pipe()
    with _closing(reader, writer):
        yield Unwritable(reader)


@contextlib.contextmanager
def full_device() -> Iterator[Unwritable]:
    """Yield /dev/full."""
    with open("/dev/full", "wb") as full:
        yield Unwritable(full.fileno())


def full_pipe() -> AbstractContextManager[Unwritable]:
    """Yield a full pipe."""
    return _flow(*os.pipe())


def full_fifo() -> AbstractContextManager[Unwritable]:
    """Yield a full FIFO, whose name has been removed."""
    path = f"/tmp/pyinit-fifo-{os.getpid()}"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(path, os.O_WRONLY)
    os.unlink(path)
    return _flow(reader, writer)


def full_socket(kind: socket.SocketKind = socket.SOCK_STREAM) -> AbstractContextManager[Unwritable]:
    """Yield a full socket."""
    reader, writer = socket.socketpair(socket.AF_UNIX, kind)
    return _flow(reader.detach(), writer.detach())


def full_datagrams() -> AbstractContextManager[Unwritable]:
    """Yield a full datagram socket."""
    return full_socket(socket.SOCK_DGRAM)


@contextlib.contextmanager
def broken_pipe() -> Iterator[Unwritable]:
    """Yield a pipe without a reading end."""
    reader, writer = os.pipe()
    os.close(reader)
    with _closing(writer):
        yield Unwritable(writer)


@contextlib.contextmanager
def broken_socket() -> Iterator[Unwritable]:
    """Yield a socket whose other end is closed."""
    one, other = socket.socketpair()
    other.close()
    with one:
        yield Unwritable(one.fileno())


@contextlib.contextmanager
def stopped_terminal() -> Iterator[Unwritable]:
    """Yield a terminal that ^S has stopped."""
    master, slave = os.openpty()
    termios.tcflow(slave, termios.TCOOFF)
    stream = Stream(master)
    try:
        yield Unwritable(
            slave,
            lambda _: termios.tcflow(slave, termios.TCOON),
            lambda: termios.tcflow(slave, termios.TCOOFF),
            lambda: stream.text,
        )
    finally:
        # A terminal that is stopped holds its last one to close it up.
        termios.tcflow(slave, termios.TCOON)
        os.close(slave)
        stream.close()


@contextlib.contextmanager
def hung_up_terminal() -> Iterator[Unwritable]:
    """Yield a terminal that has been hung up."""
    master, slave = os.openpty()
    os.close(master)
    with _closing(slave):
        yield Unwritable(slave)


@contextlib.contextmanager
def full_disk(room: int = 0) -> Iterator[Unwritable]:
    """Yield a file with room for so many bytes, less than a page, on a disk that another file fills."""
    disk = _disk(PAGE * (2 if room else 1))
    filler = os.open("filler", os.O_WRONLY | os.O_CREAT, dir_fd=disk)
    log = os.open("log", os.O_RDWR | os.O_CREAT | os.O_APPEND, dir_fd=disk)
    begun = os.write(log, b"x" * (PAGE - room)) if room else 0

    def refill() -> None:
        os.pwrite(filler, b"x", 0)

    with _closing(filler, log, disk):
        refill()
        yield Unwritable(log, lambda _: os.truncate(filler, 0), refill, lambda: os.pread(log, 65536, begun).decode())


def _disk(size: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    context = libc.syscall(SYS_FSOPEN, b"tmpfs", 0)
    assert context >= 0, os.strerror(ctypes.get_errno())
    libc.syscall(SYS_FSCONFIG, context, SET_STRING, b"size", b"%d" % size, 0)
    libc.syscall(SYS_FSCONFIG, context, CREATE, None, None, 0)
    disk: int = libc.syscall(SYS_FSMOUNT, context, 0, 0)
    assert disk >= 0, os.strerror(ctypes.get_errno())
    os.close(context)
    return disk


@contextlib.contextmanager
def file_size_limit() -> Iterator[Unwritable]:
    """Yield a file at its size limit: a write raises XFSZ as well."""
    log = os.memfd_create("log")

    def relieve(init: Init) -> None:
        resource.prlimit(init.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def text() -> str:
        return Path(f"/proc/self/fd/{log}").read_text()

    with _closing(log):
        yield Unwritable(log, relieve, read=text, around=["/usr/bin/prlimit", "--fsize=0:unlimited"])


# The ones that stay so, and those that take something again.
FOR_EVER = (closed, read_only, full_device, broken_pipe, broken_socket, hung_up_terminal)
FOR_A_WHILE = (full_pipe, full_fifo, full_socket, full_datagrams, stopped_terminal, full_disk, file_size_limit)
