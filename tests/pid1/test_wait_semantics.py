"""What wait(2) says of unusual lives: threads, stops, tracers, odd exit signals, a stopped init."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import compiled, payload, shell
from tests.support.harness import Init
from tests.support.polling import stays, until
from tests.support.types import Start
from tools.namespace import NAMESPACE

# What a child's parent is told by when it ends; 0 is nothing at all.
ODD = pytest.mark.parametrize("exit_signal", [0, signal.SIGUSR1], ids=["none", "USR1"])


def others(init: Init) -> list[int]:
    """The init's children that are not its payload."""
    return [pid for pid in procfs.children(init.pid) if pid != init.payload]


def test_init_does_not_take_the_end_of_the_payloads_first_thread_for_its_exit(start: Start, place: str) -> None:
    """Its process is a zombie for all to see, and lives, gets signals and has yet to end."""
    init = start("--", *payload("waits", "leader"), place=place)
    init.expect("leader gone\n")
    [process] = procfs.children(init.pid)
    assert procfs.state(process) == "Z"
    init.signal(signal.SIGUSR1)
    init.expect("still here\n")
    init.signal(signal.SIGTERM)
    assert init.wait().code == 7


def test_a_traced_payload_is_reaped_when_the_tracer_lets_go(start: Start, place: str) -> None:
    """Its end is the tracer's first; until then init waits, and the code is not lost."""
    init = start("-v", "--", *payload("waits", "traced"), place=place)
    process = init.payload
    init.expect("traced\n")
    [tracer] = procfs.children(process)
    init.signal(signal.SIGTERM)
    until(lambda: procfs.state(process) == "Z", "the payload's end")
    stays(lambda: init.process.poll() is None, "init waits for the tracer", 0.2)
    assert procfs.state(process) == "Z"
    os.kill(tracer, signal.SIGUSR2)
    assert init.wait().code == 5


def test_init_does_not_take_stops_of_orphans_for_their_exit(start: Start, place: str) -> None:
    """Only their end is an end, and then they are reaped."""
    init = start("-w", "--", *shell("(sleep 1000 &); echo left; exec sleep 1000"), place=place)
    init.expect("left\n")
    [orphan] = until(lambda: others(init), "the orphan")
    for _ in range(3):
        os.kill(orphan, signal.SIGSTOP)
        until(lambda: procfs.state(orphan) == "T", "the orphan stopped")
        os.kill(orphan, signal.SIGCONT)
        until(lambda: procfs.state(orphan) in ("S", "R"), "the orphan continued")
    assert "sleep" not in init.stderr
    os.kill(orphan, signal.SIGTERM)
    until(lambda: not procfs.state(orphan), "the orphan reaped")
    init.expect_error("TERM")
    assert len(init.stderr.splitlines()) == 1


def test_init_does_not_take_a_stop_and_cont_of_the_payload_for_its_exit(start: Start) -> None:
    """A stop on purpose stands until CONT; the payload's code comes when it ends."""
    init = start("--", "sleep", "1000", place="pid1")
    process = init.payload
    os.kill(process, signal.SIGSTOP)
    until(lambda: procfs.state(process) == "T", "the payload stopped")
    init.signal(signal.SIGCONT)
    until(lambda: procfs.state(process) in ("S", "R"), "the payload continued")
    init.signal(signal.SIGHUP)
    assert init.wait().code == 128 + signal.SIGHUP


@ODD
def test_an_orphan_with_an_odd_exit_signal_is_reaped(start: Start, place: str, exit_signal: int) -> None:
    """The kernel makes it SIGCHLD when it hands the orphan on."""
    init = start("--", *payload("waits", "orphan", str(int(exit_signal))), place=place)
    init.expect("left\n")
    [orphan] = until(lambda: others(init), "the orphan")
    kill(orphan)
    until(lambda: not procfs.state(orphan), "the orphan reaped")
    init.signal(signal.SIGTERM)
    assert init.wait().code == 0


@ODD
def test_a_child_with_an_odd_exit_signal_from_before_inits_exec_is_reaped(start: Start, exit_signal: int) -> None:
    """A parent that executes init leaves it children that only __WALL finds."""
    parent = [*NAMESPACE, str(compiled("waits")), "exec", str(int(exit_signal))]
    init = start("--", *shell("echo ready; exec sleep 1000"), place=parent)
    init.expect("ready\n")
    # A copy of its parent, named as that was before.
    named = str(compiled("waits"))
    [inherited] = [pid for pid in procfs.children(init.pid) if named in procfs.command(pid)]
    kill(inherited)
    until(lambda: not procfs.state(inherited), "the inherited child reaped")
    init.signal(signal.SIGTERM)
    # It would be 138 if the child's exit signal had been forwarded.
    assert init.wait().code == 143


def test_orphans_that_exit_while_init_is_stopped_are_reaped_later(start: Start, place: str) -> None:
    """Twenty come and end while init sees nothing: one SIGCHLD has to do for all of them."""
    family = "for i in $(seq 20); do sleep 1000 & done; echo started; wait"
    init = start("--", *shell(f"sh -c '{family}' & exec sleep 1000"), place=place)
    init.expect("started\n")
    [parent] = [pid for pid in procfs.children(init.payload) if procfs.alive(pid)]
    family_members = procfs.children(parent)
    assert len(family_members) == 20
    os.kill(init.pid, signal.SIGSTOP)
    until(lambda: procfs.state(init.pid) == "T", "init stopped")
    for pid in [parent, *family_members]:
        kill(pid)
    until(lambda: set(procfs.zombies(procfs.children(init.pid))) == set(family_members), "20 zombies")
    os.kill(init.pid, signal.SIGCONT)
    until(lambda: procfs.children(init.pid) == [init.payload], "all reaped")


def test_the_exit_code_of_a_payload_that_exits_while_init_is_stopped_is_kept(start: Start, place: str) -> None:
    """Its code is there when init runs again."""
    init = start("--", "sleep", "1000", place=place)
    process = init.payload
    os.kill(init.pid, signal.SIGSTOP)
    until(lambda: procfs.state(init.pid) == "T", "init stopped")
    os.kill(process, signal.SIGUSR2)
    until(lambda: procfs.state(process) == "Z", "the payload's end")
    os.kill(init.pid, signal.SIGCONT)
    assert init.wait().code == 128 + signal.SIGUSR2
