"""A connection to a server in a container that has no network but its own loopback."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.engines.engine import Container
from tests.engines.support import PATIENCE, until

CLONE_NEWNET = 0x40000000  # linux/sched.h
SMALL = 65536  # bytes of a receive buffer that a large answer does not fit into


def connect(container: Container, port: int) -> socket.socket:
    """A connection to this port of the container; raises ConnectionRefusedError if nobody listens."""
    # A socket belongs to the network namespace that its maker was in, wherever that one goes afterwards.
    with namespace(f"/proc/{container.init}/ns/net"):
        connection = socket.socket()
    connection.settimeout(PATIENCE)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    try:
        connection.connect(("127.0.0.1", port))
    except BaseException:
        connection.close()
        raise
    return connection


def connect_soon(container: Container, port: int) -> socket.socket:
    """A connection to this port of the container as soon as somebody listens there."""

    def listening() -> socket.socket | None:
        assert not container.over(), container.errors
        try:
            return connect(container, port)
        except ConnectionRefusedError:
            return None

    connection = until(listening, f"{container.name} listens on {port}")
    assert connection
    return connection


@contextmanager
def namespace(path: str) -> Iterator[None]:
    """Put this thread into another network namespace for a while."""
    own, other = os.open("/proc/thread-self/ns/net", os.O_RDONLY), os.open(path, os.O_RDONLY)
    try:
        enter(other)
        try:
            yield
        finally:
            enter(own)
    finally:
        os.close(own)
        os.close(other)


def enter(descriptor: int) -> None:
    """setns(2); raises OSError."""
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def receive(connection: socket.socket) -> bytes:
    """Everything up to the connection's end."""
    read = bytearray()
    while piece := connection.recv(1 << 20):
        read += piece
    return bytes(read)
