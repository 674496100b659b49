"""Below a supervisor: what it does to pyinit by KILL is done to the payload too, and STOP cannot be seen.

The supervisors are Debian's, each with a folder of the test's own.
"""

from __future__ import annotations

import shlex
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.cleanup import wait_until_dead
from tests.support.commands import payload
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.requirements import need
from tests.support.types import Start

SUPERVISORD = """\
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile={folder}/pid
[unix_http_server]
file={folder}/socket
[supervisorctl]
serverurl=unix://{folder}/socket
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:service]
command={command}
startsecs=0
stopwaitsecs=1
killasgroup=true
"""
# It says what it gets and ends at none but KILL.
DEAF = payload("receive")


def payloads(above: int) -> list[int]:
    """Return the pids of the payloads below a process that are ready: they wait for a signal."""
    return [pid for pid in procfs.descendants(above) if procfs.command(pid) == DEAF and procfs.rests(pid)]


class Supervised:
    """A supervisor that keeps pyinit running with a payload that ends at none but KILL."""

    def __init__(self, supervisor: Init, control: Mapping[str, Sequence[str]]) -> None:
        self.supervisor = supervisor
        self._control = control

    def payloads(self) -> list[int]:
        """Return the pids of the payloads that are ready."""
        return payloads(self.supervisor.pid)

    def do(self, start: Start, action: str) -> None:
        """Run the supervisor's own command for this to its end."""
        start(*self._control[action], program=(), place="subreaper").wait()


def supervisord(folder: Path, command: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the words that start supervisord, and those that have it act on its program."""
    configuration = folder / "supervisord.conf"
    configuration.write_text(SUPERVISORD.format(folder=folder, command=command))
    control = ["supervisorctl", "-c", str(configuration)]
    return ["supervisord", "-c", str(configuration)], {"kill": [*control, "stop", "service"]}


def s6(folder: Path, command: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the same for s6."""
    service = str(service_folder(folder, command))
    actions = {"kill": "-k", "pause": "-p", "continue": "-c"}
    return ["s6-svscan", str(folder)], {name: ["s6-svc", option, service] for name, option in actions.items()}


def runit(folder: Path, command: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the same for runit."""
    service = str(service_folder(folder, command))
    actions = {"kill": "kill", "pause": "pause", "continue": "cont"}
    return ["runsvdir", str(folder)], {name: ["sv", action, service] for name, action in actions.items()}


def service_folder(folder: Path, command: str) -> Path:
    """Make the folder of a service as s6 and runit know it."""
    service = folder / "service"
    service.mkdir()
    (service / "run").write_text(f"#!/bin/sh\nexec {command}\n")
    (service / "run").chmod(0o755)
    return service


@pytest.fixture(params=[supervisord, s6, runit], ids=lambda kind: kind.__name__)
def supervised(
    request: pytest.FixtureRequest, start: Start, program: list[str], tmp_path: Path
) -> Iterator[Supervised]:
    """pyinit below each supervisor in turn."""
    kind: Callable[[Path, str], tuple[list[str], dict[str, list[str]]]] = request.param
    words, control = kind(tmp_path, shlex.join([*program, "--", *DEAF]))
    need(words[0], control["kill"][0])
    yield Supervised(start(*words, program=(), place="subreaper"), control)


def test_a_supervisor_that_kills_init_kills_the_payload(start: Start, supervised: Supervised) -> None:
    """Regression: `s6-svc -k`, `sv kill` and supervisord's KILL for the group left it running, beside the next one."""
    [below] = until(supervised.payloads, "the payload")
    supervised.do(start, "kill")
    wait_until_dead(below)
    assert len(supervised.payloads()) <= 1


@pytest.mark.parametrize("supervised", [s6, runit], ids=lambda kind: kind.__name__, indirect=True)
def test_a_supervisor_that_stops_init_does_not_stop_the_payload(start: Start, supervised: Supervised) -> None:
    """docs/engines.md says so: STOP cannot be caught, and so not be forwarded."""
    [below] = until(supervised.payloads, "the payload")
    init = procfs.parent(below)
    supervised.do(start, "pause")
    until(lambda: procfs.state(init) == "T", "a stopped init")
    assert procfs.state(below) == "S"
    supervised.do(start, "continue")
    until(lambda: procfs.state(init) == "S", "an init that goes on")


@pytest.mark.parametrize("options", [[], ["--foreground"]], ids=" ".join)
def test_timeouts_kill_ends_the_payload(start: Start, program: list[str], options: list[str]) -> None:
    """timeout(1) sends to pyinit and to its own group; the payload is not in that."""
    outer = start(*options, "-k", "0.1", "1000", *program, "--", *DEAF, program=["timeout"], place="subreaper")
    [below] = until(lambda: payloads(outer.pid), "the payload")
    # Before it knows the pid of its child, timeout ends of TERM and passes nothing on.
    until(lambda: procfs.rests(outer.pid), "timeout waiting")
    # What it does when the time is over, too.
    outer.signal(signal.SIGTERM)
    outer.expect("got 15 ")
    outer.wait()
    wait_until_dead(below)
