"""What init gets when its parent dies, and what the payload gets when init does.

-p sets the first; the second is the same, or KILL.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import NOBODY, WITHOUT_KILL, payload, shell
from tests.support.parents import child_of_a_parent
from tests.support.polling import until
from tests.support.types import Start
from tools.namespace import NAMESPACE

TOLD = payload("death_signal")
# As PID 1; --kill-child would set the signal.
INHERITING_NONE = [word for word in NAMESPACE if word != "--kill-child"]
INHERITS_TERM = ("setpriv", "--pdeathsig", "TERM")
INHERITS_KILL = ("setpriv", "--pdeathsig", "KILL")


@pytest.mark.parametrize("option", ["TERM", "15", "SIGTERM"])
def test_with_p_the_parents_death_is_a_signal_for_the_payload(start: Start, program: list[str], option: str) -> None:
    parent, init, below = child_of_a_parent(start, program, option, "subreaper")
    # The shell's end was caused by the closed pipe.
    assert parent.wait().code == 0
    parent.expect("got 15 ")
    kill(below)
    until(lambda: not procfs.alive(init), "init's end")


def test_with_p_kill_the_parents_death_ends_init_and_payload(start: Start, program: list[str]) -> None:
    parent, init, below = child_of_a_parent(start, program, "KILL", "subreaper")
    assert parent.wait().code == 0
    until(lambda: not procfs.alive(init), "init's end")
    until(lambda: not procfs.alive(below), "the payload's end")


def test_without_p_init_outlives_its_parent(start: Start, program: list[str]) -> None:
    script = '"$@" & exit 0'
    first = start(*shell(script, *program, "--", *payload("receive")), program=(), place="subreaper")
    first.expect("got is ready\n")
    assert first.wait().code == 0
    below = until(
        lambda: next((pid for pid in procfs.descendants(os.getpid()) if procfs.command(pid) == payload("receive")), 0),
        "the payload",
    )
    init = procfs.parent(below)
    os.kill(init, signal.SIGUSR1)
    first.expect("got 10 ")
    kill(below)
    until(lambda: not procfs.alive(init), "init's end")


@pytest.mark.parametrize(
    ("before", "options", "below_another", "as_pid_1"),
    [
        ((), [], 9, 0),
        ((), ["-p", "TERM"], 15, 15),
        ((), ["-p", "KILL"], 9, 9),
        ((), ["-p", "RTMIN+5"], 39, 39),
        (INHERITS_TERM, [], 15, 15),
        (INHERITS_KILL, [], 9, 9),
        (INHERITS_TERM, ["-p", "USR1"], 10, 10),
        ((), ["-c"], 9, 0),
        ((), ["-S"], 9, 0),
        ((), ["-u", "65534:65534"], 9, 0),
        (INHERITS_TERM, ["-u", "65534:65534"], 15, 15),
        ((), ["--no-subreaper"], 9, 0),
        (NOBODY, [], 9, 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, (list, tuple)) else str(value),
)
def test_the_payload_gets_inits_own_parent_death_signal_or_kill(
    start: Start,
    program: list[str],
    before: Sequence[str],
    options: list[str],
    below_another: int,
    as_pid_1: int,
) -> None:
    """Regression: an inherited one was not handed on, and a KILL to init left the payload running."""
    for place, number in ((), below_another), (INHERITING_NONE, as_pid_1):
        outcome = start(*options, "--", *TOLD, program=[*before, *program], place=place).wait()
        assert outcome == (0, f"{number}\n", ""), place


@pytest.mark.parametrize(
    ("options", "words", "number"),
    [
        (["-c"], ["setsid", *TOLD], 9),
        ([], ["env", *TOLD], 9),
        ([], ["setpriv", "--reuid=65534", *TOLD], 0),
        ([], [*TOLD, "fork"], 0),
        ([], ["setsid", "--wait", *TOLD], 0),
    ],
    ids=["a session of its own", "another program", "another user", "a child", "a session of its child"],
)
def test_the_payload_keeps_its_parent_death_signal_until_it_forks_or_changes_its_user(
    start: Start, options: list[str], words: list[str], number: int
) -> None:
    """prctl(2). setsid(1) forks where it leads its process group."""
    assert start(*options, "--", *words, place="subreaper").wait() == (0, f"{number}\n", "")


@pytest.mark.parametrize("options", [[], ["-c"], ["-S"], ["-g"], ["-u", "65534:65534"]], ids=" ".join)
def test_a_killed_init_takes_its_payload_along(start: Start, options: list[str]) -> None:
    init = start(*options, "--", *payload("receive"), place="subreaper")
    init.expect("got is ready\n")
    below = init.payload
    kill(init.pid)
    assert init.wait().code == -signal.SIGKILL
    until(lambda: not procfs.alive(below), "the payload's end")


def test_a_killed_init_that_may_not_signal_its_payload_leaves_it(start: Start, program: list[str]) -> None:
    """The kernel checks this as for kill(2): -u without the capability KILL."""
    how = {"program": [*WITHOUT_KILL, *program], "place": "subreaper"}
    init = start("-u", "65534:65534", "--", *payload("receive"), **how)
    init.expect("got is ready\n")
    below = init.payload
    kill(init.pid)
    assert init.wait().code == -signal.SIGKILL
    os.kill(below, signal.SIGUSR1)
    init.expect("got 10 ")
    kill(below)


def test_a_killed_init_leaves_its_payload_the_signal_that_p_names(start: Start) -> None:
    init = start("-p", "USR1", "--", *payload("receive"), place="subreaper")
    init.expect("got is ready\n")
    below = init.payload
    kill(init.pid)
    init.expect("got 10 ")
    kill(below)


def test_an_init_that_ends_does_not_kill_what_the_payload_left(start: Start) -> None:
    init = start(*shell("sleep 1000 & echo $!"), place="subreaper")
    left = int(init.expect("\n"))
    assert init.wait().code == 0
    assert procfs.alive(left)
    kill(left)


@pytest.mark.parametrize("before", [(), INHERITS_TERM], ids=["KILL", "TERM"])
def test_an_init_that_is_killed_while_it_starts_its_payload_leaves_none(
    start: Start, program: list[str], tmp_path: Path, before: Sequence[str]
) -> None:
    """Between clone(2) and prctl(2) the kernel does not know yet that the child is to die."""
    slow = ["-e", "trace=prctl", "-e", "inject=prctl:delay_enter=500000"]
    place = ["strace", "-f", "-qq", "-o", str(tmp_path / "trace"), *slow]
    started = tmp_path / "started"
    init = start(*shell(f"touch {started}; exec sleep 1000"), program=[*before, *program], place=place)

    def starting() -> tuple[int, int] | None:
        below = [(pid, child) for pid in procfs.children(init.process.pid) for child in procfs.children(pid)]
        return below[0] if below else None

    pid, child = until(starting, "an init whose child is no payload yet")
    kill(pid)
    until(lambda: not procfs.alive(child), "its end")
    assert not started.exists()


def test_a_payload_in_another_pid_namespace_gets_no_parent_death_signal_while_init_lives(
    start: Start, program: list[str]
) -> None:
    """`unshare --pid` without --fork: the payload is PID 1 there, and its parent, which lives, has pid 0."""
    # Not blocked, TERM would go unnoticed: it does nothing to a PID 1.
    how = {"program": ["unshare", "--pid", *program], "prepare": ["block=15"], "place": "subreaper"}
    init = start("-p", "TERM", "--", *payload("receive"), **how)
    init.expect("got is ready\n")
    init.signal(signal.SIGUSR1)
    assert init.expect("\n") == "got 10 0 0\n"
    below = init.payload
    kill(init.pid)
    init.expect("got 15 ")
    kill(below)
