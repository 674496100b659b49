"""The Dockerfiles in examples/: built as they are, and stopped while a client is in the middle of something."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engines.docker import Daemon, Docker
from tests.engines.engine import Container
from tests.engines.examples.network import connect_soon, receive
from tests.engines.support import PATIENCE, until
from tests.engines.table import GROUPS
from tests.support.procfs import children, signals
from tools.tree import ROOT

pytestmark = pytest.mark.xdist_group(GROUPS["docker"])
LARGE = 64 << 20  # bytes: more than the kernel's buffers hold between a server and a client that does not read


def built(stocked: Daemon, name: str, folder: Path, *options: str) -> Docker:
    """Build an example; returns docker with its image as the one to run."""
    stocked.do("build", "--network=none", f"--tag={name}", str(ROOT / "examples" / name))
    engine = Docker(folder, stocked)
    engine.image = name
    engine.options = options
    return engine


@contextmanager
def stopping(container: Container) -> Iterator[None]:
    """`docker stop`, which must have come to its end at the end of the block, without a KILL."""
    assert isinstance(container.engine, Docker)
    command = container.engine.daemon.client("stop", f"--time={PATIENCE:.0f}", container.name)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as stop:
        yield
        assert container.wait() == 0, container.errors
        assert stop.wait(PATIENCE) == 0


def log(container: Container, text: str, times: int = 1) -> None:
    """Wait until this text is in the container's log so many times."""
    until(lambda: container.errors.count(text) >= times or container.over(), f"{text!r} in the log")
    assert container.errors.count(text) == times, container.errors


def workers_are_up(container: Container) -> None:
    """Wait until both of gunicorn's workers have handlers of their own.

    Until then a worker has the master's and loses a TERM. The one for ABRT, which the master lacks, comes last
    (gunicorn/workers/base.py, init_signals).
    """
    [master] = children(container.init)

    def own_handlers() -> bool:
        workers = children(master)
        return len(workers) == 2 and all(signal.SIGABRT in signals(worker, "SigCgt") for worker in workers)

    until(own_handlers, "two workers of gunicorn with their own handlers")


def test_gunicorn_answers_a_request_that_is_under_way_when_it_is_stopped(stocked: Daemon, tmp_path: Path) -> None:
    """examples/gunicorn: TERM comes in the middle of an upload; the upload goes on and gets its answer."""
    # However slow this machine is: gunicorn's own time-outs are not what is tested.
    patience = "--env=GUNICORN_CMD_ARGS=--timeout=600 --graceful-timeout=600"
    engine = built(stocked, "gunicorn", tmp_path / "gunicorn", patience)
    with engine.container() as container, connect_soon(container, 8000) as upload:
        upload.sendall(b"POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\nfirst")
        log(container, "upload begun")
        workers_are_up(container)
        with stopping(container):
            log(container, "Handling signal: term")
            upload.sendall(b"-last")
            answer = receive(upload)
        assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\n10 bytes\n")
        steps = ["upload begun", "Handling signal: term", "upload done", "Shutting down: Master"]
        assert sorted(steps, key=container.errors.index) == steps


def test_nginx_sends_to_its_end_what_it_has_begun(stocked: Daemon, tmp_path: Path) -> None:
    """examples/nginx: TERM, rewritten to QUIT, comes in the middle of a large download."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(LARGE)
    engine = built(stocked, "nginx", tmp_path / "nginx", f"--volume={large}:/var/www/html/large:ro")
    with engine.container() as container, connect_soon(container, 80) as download:
        download.sendall(b"GET /large HTTP/1.0\r\n\r\n")
        begin = download.recv(9)
        with stopping(container):
            log(container, "signal 3 (SIGQUIT) received")
            log(container, "gracefully shutting down", 2)
            answer = begin + receive(download)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert len(body) == LARGE
