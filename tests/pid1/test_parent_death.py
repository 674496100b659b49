"""-p: what init and payload get when init's parent dies; without it they stay."""

from __future__ import annotations

import os
import signal

import pytest

from tests import processes
from tests.commands import payload, shell
from tests.conftest import Start
from tests.ending import kill
from tests.parents import child_of_a_parent
from tests.waiting import until


@pytest.mark.parametrize("option", ["TERM", "15", "SIGTERM"])
def test_the_parents_death_is_a_signal(start: Start, program: list[str], option: str) -> None:
    parent, init, below = child_of_a_parent(start, program, option, "subreaper")
    # The shell's end was caused by the closed pipe.
    assert parent.wait().code == 0
    parent.expect("got 15 ")
    kill(below)
    until(lambda: not processes.alive(init), "init's end")


def test_the_parents_death_can_be_init_and_payloads_own(start: Start, program: list[str]) -> None:
    parent, init, below = child_of_a_parent(start, program, "KILL", "subreaper")
    assert parent.wait().code == 0
    until(lambda: not processes.alive(init), "init's end")
    until(lambda: not processes.alive(below), "the payload's end")


def test_without_that_option_init_stays(start: Start, program: list[str]) -> None:
    script = '"$@" & exit 0'
    first = start(*shell(script, *program, "--", *payload("receive")), program=(), place="subreaper")
    first.expect("got is ready\n")
    assert first.wait().code == 0
    below = until(
        lambda: next(
            (pid for pid in processes.descendants(os.getpid()) if processes.command(pid) == payload("receive")), 0
        ),
        "the payload",
    )
    init = processes.parent(below)
    os.kill(init, signal.SIGUSR1)
    first.expect("got 10 ")
    kill(below)
    until(lambda: not processes.alive(init), "init's end")
