"""Signals to processes of another user, where init lacks the capability KILL but may change its user id."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.commands import (
    NOBODY,
    WITHOUT_KILL,
    WITHOUT_KILL_AND_SETUID,
    WITHOUT_PROC,
    as_nobody,
    payload,
    shell,
)
from tests.support.payload_pair import got_by, pair
from tests.support.polling import PATIENCE
from tests.support.receiver import until_marked
from tests.support.strace import attach
from tests.support.types import Start
from tests.support.wide import wide
from tools.namespace import NAMESPACE

AS_USER = ("-u", "65534:65534")
# As docker's `--cap-drop ALL --cap-add SETUID --cap-add SETGID` leaves it.
SETUID_AND_SETGID = ("setpriv", "--bounding-set=-all,+setuid,+setgid", "--inh-caps=-all")
# A payload that tells of every process beside init and itself whether it may signal that. It ends at TERM.
LOOKS_AROUND = """
trap 'exit 7' TERM
echo ready
while :; do
    for folder in /proc/[0-9]*; do
        pid=${folder#/proc/}
        [ $pid -le $$ ] && continue
        kill -0 $pid 2>/dev/null && echo allowed
        [ -d $folder ] && echo seen
    done
done
"""


@pytest.mark.parametrize("options", wide([(), ("-g",), ("-a",), ("-c",), ("-S",), ("-w",)], (), ("-g",)))
@pytest.mark.parametrize("rights", [WITHOUT_KILL, SETUID_AND_SETGID], ids=["without KILL", "SETUID and SETGID"])
def test_the_payload_of_another_user_gets_each_signal_once(
    start: Start, program: list[str], place: str, options: Sequence[str], rights: Sequence[str]
) -> None:
    """No line either: -w does not take the child that sends a signal for an orphan."""
    how = {"place": place, "program": [*rights, *program]}
    init = start(*options, *AS_USER, "--", *payload("receive"), **how)
    init.expect("got is ready\n")
    for number in (signal.SIGTERM, signal.SIGHUP, 34):
        init.signal(number)
        init.expect(f"got {int(number)} ")
    assert until_marked(init) == []
    assert init.stderr == ""


def test_a_payload_that_has_changed_its_user_itself_gets_signals_without_capability_kill(
    start: Start, program: list[str], place: str
) -> None:
    how = {"place": place, "program": [*WITHOUT_KILL, *program]}
    init = start("--", *NOBODY, *payload("receive"), **how)
    init.expect("got is ready\n")
    init.signal(signal.SIGTERM)
    init.expect("got 15 ")
    assert init.stderr == ""


@pytest.mark.parametrize("option", ["-g", "-a"])
def test_with_g_or_a_processes_of_two_users_get_each_signal_once(
    start: Start, program: list[str], place: str, option: str
) -> None:
    """kill(2) succeeds when it has reached one of a group, and with -1 even if it has reached none."""
    how = {"place": place, "program": [*WITHOUT_KILL, *program]}
    init, child = pair(start, option, detach=" ".join(NOBODY), **how)
    init.signal(signal.SIGTERM)
    init.expect("15 0 ")
    init.signal(signal.SIGHUP)
    own, others = got_by(init, child)
    # The other user's may have had both waiting, and takes the lower number first then.
    assert (own, sorted(others)) == ([15, 1], [1, 15])
    assert init.stderr == ""


@pytest.mark.parametrize("options", [(), ("-g",), ("-a",)])
def test_without_proc_the_owner_is_the_user_of_u(start: Start, program: list[str], options: Sequence[str]) -> None:
    how = {"place": WITHOUT_PROC, "program": [*WITHOUT_KILL, *program]}
    init = start(*options, *AS_USER, "--", *payload("receive"), **how)
    init.expect("got is ready\n")
    init.signal(signal.SIGTERM)
    init.expect("got 15 ")
    assert until_marked(init) == []
    assert init.stderr == ""


@pytest.mark.parametrize("rights", [(), WITHOUT_KILL], ids=["root", "without KILL"])
def test_where_init_may_not_ask_for_its_capabilities_signals_arrive(
    start: Start, program: list[str], rights: Sequence[str]
) -> None:
    """A seccomp filter forbids capget(2)."""
    refuse = payload("refuse", "125:1", "--")
    init = start("-g", *AS_USER, "--", *payload("receive"), program=[*rights, *refuse, *program])
    init.expect("got is ready\n")
    init.signal(signal.SIGTERM)
    init.expect("got 15 ")
    assert until_marked(init) == []
    assert init.stderr == ""


@pytest.mark.parametrize("options", [(), ("-g",), ("-a",)])
def test_a_payload_of_another_user_that_outlives_its_stop_is_killed(
    start: Start, program: list[str], place: str, options: Sequence[str]
) -> None:
    how = {"place": place, "program": [*WITHOUT_KILL, *program]}
    init = start(*options, "-k", "0.1", *AS_USER, "--", *payload("receive"), **how)
    init.expect("got is ready\n")
    init.signal(signal.SIGTERM)
    assert init.wait().code == 137


def test_a_payload_of_another_user_does_not_outlive_an_init_that_fails(start: Start, program: list[str]) -> None:
    """Where waiting is forbidden, by a seccomp filter, init gives up; it is not PID 1."""
    refuse = payload("refuse", "61:1", "247:1", "--")
    init = start(*AS_USER, "--", "sleep", "600", program=[*WITHOUT_KILL, *refuse, *program], place="subreaper")
    assert init.wait().code == 125
    assert init.stderr.endswith("; the payload was killed\n")


def test_the_payload_may_not_signal_the_child_that_signals_it(start: Start, program: list[str], tmp_path: Path) -> None:
    """Init waits for that child: the payload must not stop it. strace holds it up when it has the payload's user id."""
    init = start(*AS_USER, "--", *shell(LOOKS_AROUND), place=[*NAMESPACE, *WITHOUT_KILL], program=program)
    init.expect("ready\n")
    held_up = ("-f", "-e", "trace=setresuid", "-e", "inject=setresuid:delay_exit=500000")
    tracer = attach(init.pid, tmp_path / "trace", *held_up)
    try:
        init.signal(signal.SIGTERM)
        assert init.wait().code == 7
    finally:
        tracer.terminate()
        tracer.wait(PATIENCE)
    assert set(init.stdout.split()) == {"ready", "seen"}


@pytest.mark.parametrize("options", [(), ("-g",)])
def test_a_signal_that_cannot_be_sent_is_one_line_and_ends_nothing(
    start: Start, program: list[str], place: str, tmp_path: Path, options: Sequence[str]
) -> None:
    """Without KILL and SETUID. tini exits on EPERM and leaves a dead container behind (canvas-lms #1257)."""
    how = {"place": place, "program": [*WITHOUT_KILL_AND_SETUID, *program]}
    init = start(*options, "--", *as_nobody(tmp_path), *payload("receive"), **how)
    init.expect("got is ready\n")
    for times, number in enumerate((signal.SIGTERM, signal.SIGHUP), 1):
        init.signal(number)
        line = init.expect_error("\n")
        assert line.startswith(f"pyinit: {number.name[3:]} could not be sent to ")
        assert line.endswith(": Operation not permitted\n")
        init.idle()
        assert init.stderr.count("\n") == times
    os.kill(init.payload, signal.SIGUSR1)
    assert init.expect("got ").endswith("got ")
    init.expect("10 0 ")
    os.kill(init.payload, signal.SIGKILL)
    assert init.wait().code == 137
