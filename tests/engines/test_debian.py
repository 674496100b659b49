"""What people run in containers: nginx in a Debian image, under several engines."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Iterator

from tests.engines.engine import Container, Engine
from tests.engines.support import until
from tests.support.procfs import children

# nginx takes TERM for "drop everything" and QUIT for "finish first".
GRACEFUL = {"PYINIT_OPTIONS": "-r TERM:QUIT"}


@contextlib.contextmanager
def request(container: Container, path: str) -> Iterator[socket.socket]:
    """Ask the container's nginx for a page, through a socket in the container's file system."""

    def connected() -> bool:
        try:
            connection.connect(f"/proc/{container.init}/root/run/nginx.sock")
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        until(connected, "nginx listens")
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        yield connection


def answer(connection: socket.socket, end: bytes = b"") -> bytes:
    """What comes up to this text, or to the connection's end."""
    read = b""
    while not (end and end in read) and (piece := connection.recv(4096)):
        read += piece
    return read


def test_nginx_serves_in_each_engine_and_its_orphans_have_a_parent(debian_engine: Engine) -> None:
    """Master under pyinit, workers under the master; one TERM and all is over, with 0."""
    with debian_engine.container("nginx") as container:
        with request(container, "/") as connection:
            assert answer(connection).endswith(b"served\n")
        [master] = children(container.init)
        until(lambda: len(children(master)) == 2, "two workers")
        container.signal(signal.SIGTERM)
        assert container.wait() == 0


def test_a_rewritten_signal_lets_nginx_finish_a_request(debian_engine: Engine) -> None:
    """`-r TERM:QUIT`: the request that is being answered gets its answer, then the container ends."""
    with debian_engine.container("nginx", environment=GRACEFUL) as container:
        with request(container, "/slow") as connection:
            assert answer(connection, b"begun\n")
            container.signal(signal.SIGTERM)
            assert answer(connection).endswith(b"finished\n")
        assert container.wait() == 0
