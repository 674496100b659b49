"""The examples of -r in docs/usage.md, with the programs that they name, and where -r has no effect."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.commands import LEADER, payload
from tests.support.idle_init import idle
from tests.support.polling import until
from tests.support.requirements import need
from tests.support.types import OpenTerminal, Start
from tools.namespace import NAMESPACE
from tools.tree import ROOT

SHELL = "pyinit -r TERM:HUP -- bash -i"
UWSGI = "pyinit -r TERM:INT -- uwsgi --ini app.ini"
RECEIVE = payload("receive")
APPLICATION = """
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]
"""
CONFIGURATION = """
[uwsgi]
plugin = python3
master = true
processes = 1
http-socket = socket
wsgi-file = app.py
"""


def test_every_rewrite_in_usage_md_is_run_by_a_test() -> None:
    rows = re.findall(r"^\| `(pyinit -r .*?)` \|", (ROOT / "docs" / "usage.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted([SHELL, UWSGI])


def words_of(example: str) -> list[str]:
    """What follows `pyinit` in an example."""
    return shlex.split(example)[1:]


def test_an_interactive_shell_is_ended_by_term_rewritten_to_hup(terminal: OpenTerminal, program: list[str]) -> None:
    """As `docker stop` ends a `docker run -it`; bash ignores TERM."""
    one = terminal(*LEADER, *program, *words_of(SHELL))
    one.type("echo re''ady")
    one.expect("ready")
    (init,) = procfs.children(one.pid)
    os.kill(init, signal.SIGTERM)
    assert one.wait() == 128 + signal.SIGHUP


def test_uwsgi_is_ended_by_term_rewritten_to_int(start: Start, tmp_path: Path) -> None:
    """TERM makes it start its workers anew."""
    need("uwsgi")
    (tmp_path / "app.py").write_text(APPLICATION)
    (tmp_path / "app.ini").write_text(CONFIGURATION)
    init = start(*words_of(UWSGI), directory=tmp_path)
    init.expect_error("spawned uWSGI worker 1")
    # A worker that has answered is ready for signals.
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "socket"))
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        until(lambda: client.recv(4096).endswith(b"hello"), "an answer")
    init.signal(signal.SIGTERM)
    assert init.wait().code == 0
    assert "goodbye to uWSGI" in init.stderr


@pytest.mark.parametrize("options", [[], ["-c"], ["-S"]])
def test_the_terminals_winch_cannot_be_dropped_where_init_leads_the_session(
    terminal: OpenTerminal, program: list[str], options: list[str]
) -> None:
    """The kernel sends it to the foreground group, which is the payload's."""
    one = terminal(*LEADER, *program, *options, "-r", "WINCH:0", "--", *RECEIVE)
    one.expect("got is ready")
    one.resize(50, 100)
    one.expect("got 28 128 0")


@pytest.mark.parametrize("around", [NAMESPACE, ["sh", "-c", '"$@"; true', "sh"]], ids=["unshare", "shell"])
def test_the_terminals_winch_can_be_dropped_where_init_does_not_lead_the_session(
    terminal: OpenTerminal, program: list[str], around: list[str]
) -> None:
    """With -S the payload has no terminal then, and init's group is the one in the foreground."""
    one = terminal(*around, *program, "-S", "-r", "WINCH:0", "--", *RECEIVE)
    one.expect("got is ready")
    (init,) = procfs.children(one.pid)
    one.resize(50, 100)
    idle(init)
    os.kill(init, 40)
    assert "got 28" not in one.expect("got 40 ")
