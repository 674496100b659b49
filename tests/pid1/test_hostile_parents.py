"""Whoever starts init, and in whatever state: another init, one that is traced or stopped, one that dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.long.hostile.changes import CHANGES
from tests.long.hostile.contract import CODE, live
from tests.long.hostile.contract import Start as HostileStart
from tests.peers.commands import AS_PID1
from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import compiled, payload
from tests.support.outcomes import HELD
from tests.support.polling import until
from tests.support.requirements import installed
from tests.support.types import Start
from tools.namespace import NAMESPACE

NOTHING = HostileStart("nothing")
STARTED_BY_A_SHELL = ("sh", "-c", '"$@"; exit $?', "sh")


@pytest.fixture(params=["tini", "dumb-init", "catatonit", "pyinit"])
def other(request: pytest.FixtureRequest, program: list[str]) -> list[str]:
    """The command of another init."""
    if request.param == "pyinit":
        return [*program, "--"]
    installed(request.param)
    return [request.param, *AS_PID1[request.param]]


def test_init_keeps_its_contract_below_another_init(program: list[str], place: str, other: list[str]) -> None:
    result = live([*other, *program, "--"], NOTHING, place, inner=1, changed=CHANGES.get(other[0], {}))
    assert (result.outcome, result.code) == (HELD, CODE), result
    assert "pyinit: " not in result.detail


def test_init_keeps_its_contract_above_another_init(program: list[str], place: str, other: list[str]) -> None:
    """tini and dumb-init adopt no orphans there: pyinit does."""
    result = live([*program, "--", *other], NOTHING, place, inner=1, changed=CHANGES.get(other[0], {}))
    assert (result.outcome, result.code) == (HELD, CODE), result
    assert "pyinit: " not in result.detail


@pytest.mark.parametrize("around", [NAMESPACE, STARTED_BY_A_SHELL], ids=["pid1", "subreaper"])
@pytest.mark.parametrize("follow", [[], ["-f"]], ids=["the parent", "all"])
def test_init_keeps_its_contract_while_it_is_traced(
    program: list[str], around: tuple[str, ...], follow: list[str]
) -> None:
    """By strace, which stays beside (-D): the parent alone, or init and payload too from their births."""
    traced = ["strace", "-D", *follow, "-qq", "-o", "/dev/null", *around]
    assert live([*program, "--"], NOTHING, traced) == (HELD, CODE, "")


@pytest.fixture
def gate() -> Iterator[tuple[int, int]]:
    """The two ends of a pipe for payloads/gate.c: closing the second opens it."""
    pipe = os.pipe()
    yield pipe
    for each in pipe:
        os.close(each)


@pytest.mark.parametrize("around", [NAMESPACE, STARTED_BY_A_SHELL], ids=["pid1", "subreaper"])
def test_init_works_in_a_stopped_process_group_of_a_stopped_parent(
    start: Start, program: list[str], gate: tuple[int, int], around: tuple[str, ...]
) -> None:
    """Parent and group stay stopped while init starts and works."""
    gated = [str(compiled("gate")), str(gate[0]), *program]
    init = start("--", *payload("receive"), program=gated, place=around, pass_fds=[gate[0]])
    parent = init.process.pid
    until(lambda: procfs.sleeping_in(init.pid) == "readv", "the gate")
    os.killpg(parent, signal.SIGSTOP)
    until(lambda: procfs.state(parent) == procfs.state(init.pid) == "T", "the group stopped")
    os.kill(init.pid, signal.SIGCONT)
    os.write(gate[1], b"x")
    init.expect("got is ready\n")
    assert procfs.group(init.pid) == parent
    assert procfs.state(parent) == "T"
    init.signal(signal.SIGUSR1)
    init.expect("got 10 ")
    kill(init.payload)
    until(lambda: procfs.state(init.pid) == "Z", "init's end")
    os.kill(parent, signal.SIGCONT)
    assert init.wait().code == 128 + signal.SIGKILL


def test_hup_and_cont_for_a_group_orphaned_while_a_member_is_stopped_are_forwarded(
    start: Start, program: list[str]
) -> None:
    """Then the kernel sends HUP and CONT to all of the group (credentials(7)): both are forwarded, init goes on."""
    job = 'set -m; { sleep 1000 & kill -STOP $!; exec "$@"; } & wait'
    leader = start("--", *payload("receive"), program=["bash", "-c", job, "bash", *program], place="subreaper")
    leader.expect("got is ready\n")
    (init,) = procfs.children(leader.pid)
    (sleep, child) = procfs.children(init)
    assert procfs.group(init) == procfs.group(sleep) != leader.pid
    until(lambda: procfs.state(sleep) == "T", "one of the group stopped")
    kill(leader.pid)
    assert "got 1 " in leader.expect("got 18 ")
    until(lambda: procfs.children(init) == [child], "the stopped one ended and reaped")
    os.kill(init, signal.SIGUSR1)
    leader.expect("got 10 ")
    kill(child)
    leader.wait()
    assert os.waitstatus_to_exitcode(os.waitpid(init, 0)[1]) == 128 + signal.SIGKILL
