"""-t: what is left when the payload has ended gets TERM and CONT, the grace period, and KILL; and nobody else does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import (
    NOBODY,
    WITHOUT_KILL,
    WITHOUT_KILL_AND_SETUID,
    WITHOUT_PROC,
    WITHOUT_THE_NEWEST_PID,
    as_nobody,
    payload,
    shell,
    with_mount,
)
from tests.support.nsenter import Enter
from tests.support.polling import stays, until
from tests.support.procfs import title
from tests.support.survivors import LONG, Leaving, immortal
from tests.support.types import Start
from tools.namespace import NAMESPACE


@pytest.mark.parametrize("who", ["plain:3", "away:2", "deep", "stopped:2"])
def test_the_processes_left_get_term_and_cont_and_init_exits_when_they_have(start: Start, place: str, who: str) -> None:
    """TERM is enough, CONT wakes those that are stopped, and their end is init's: the period is not waited for."""
    leaving = Leaving(start, ["-t", LONG], [who], place=place).end()
    leaving.wait()
    leaving.gone()


def test_each_process_left_gets_term_and_cont_once(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG], ["telling:5", "deep"], place=place).end()
    leaving.says("told 18", 5)
    assert leaving.init.stdout.count("told 15\n") == 5
    assert leaving.init.stdout.count("told") == 10
    for pid in leaving.left[:5]:
        assert procfs.alive(pid)
        os.kill(pid, signal.SIGUSR2)
    leaving.wait()


@pytest.mark.parametrize("proc", WITHOUT_THE_NEWEST_PID)
def test_each_process_left_gets_term_and_cont_once_where_the_newest_pid_is_unknown(
    start: Start, program: list[str], proc: str
) -> None:
    """Regression: only the first process got TERM and KILL."""
    around = [*with_mount(proc), *program]
    leaving = Leaving(start, ["-t", LONG], ["telling:3", "deaf"], program=around, place="subreaper").end()
    leaving.says("told 18", 3)
    leaving.says("told 15", 3)
    for _ in range(2):
        leaving.init.idle()
        leaving.init.signal(signal.SIGINT)
    leaving.wait()
    leaving.gone()


@pytest.mark.parametrize("who", ["deaf:3", "headless"])
def test_a_process_left_that_ignores_term_is_killed_when_the_grace_period_is_over(
    start: Start, place: str, who: str
) -> None:
    """Of one kind only the first thread has ended, which looks like a zombie."""
    leaving = Leaving(start, ["-t", "0.3"], [who], place=place).end()
    assert leaving.wait() >= 0.3
    leaving.gone()


def test_the_grace_period_of_pid_1_is_3_seconds_by_default(start: Start) -> None:
    leaving = Leaving(start, [], ["deaf"]).end()
    assert leaving.wait() >= 3
    # Nobody needs to know.
    assert leaving.init.stderr == ""


def test_a_subreaper_leaves_what_the_payload_left_alone_by_default(start: Start) -> None:
    leaving = Leaving(start, [], ["telling:2"], place="subreaper").end()
    leaving.wait()
    with leaving.surviving() as left:
        assert left == leaving.left
        assert "told" not in leaving.init.stdout


def test_with_a_grace_period_of_0_init_exits_with_the_payload_at_once(start: Start, place: str) -> None:
    """As PID 1 the kernel then ends all of them."""
    leaving = Leaving(start, ["-t", "0"], ["telling:2"], place=place).end()
    leaving.wait()
    assert "told" not in leaving.init.stdout
    with leaving.surviving() as left:
        assert left == ([] if place == "pid1" else leaving.left)


def test_signals_during_the_grace_period_go_to_the_processes_left(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG], ["telling:2"], place=place).end()
    leaving.says("told 18", 2)
    for number in (signal.SIGHUP, signal.SIGQUIT, 40):
        leaving.init.signal(number)
        leaving.says(f"told {int(number)}", 2)
    for pid in leaving.left:
        os.kill(pid, signal.SIGUSR2)
    leaving.wait()


def test_a_stop_signal_in_the_grace_period_goes_to_those_that_lack_it_and_a_second_ends_it(
    start: Start, place: str
) -> None:
    leaving = Leaving(start, ["-v", "-t", LONG], ["telling"], place=place).end()
    leaving.says("told 18", 1)
    leaving.init.signal(signal.SIGTERM)
    leaving.init.idle()
    leaving.says("told 15", 1)
    leaving.init.signal(signal.SIGTERM)
    leaving.init.expect_error("TERM is the second stop signal: the grace period ends\n")
    leaving.wait()
    leaving.gone()


def test_another_stop_signal_during_the_grace_period_is_passed_on(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG], ["telling"], place=place).end()
    leaving.says("told 18", 1)
    leaving.init.signal(signal.SIGINT)
    leaving.says("told 2", 1)
    leaving.init.signal(signal.SIGINT)
    leaving.wait()
    leaving.gone()


def test_two_signals_named_by_stop_signal_end_the_grace_period(start: Start, place: str) -> None:
    options = ["-v", "-t", LONG, "--stop-signal", "WINCH", "--stop-signal", "QUIT"]
    leaving = Leaving(start, options, ["telling"], place=place)
    leaving.init.signal(signal.SIGQUIT)
    leaving.init.idle()
    leaving.end()
    leaving.says("told 3", 1)
    leaving.says("told 18", 1)
    leaving.init.signal(signal.SIGWINCH)
    leaving.init.expect_error("WINCH is the second stop signal: the grace period ends\n")
    leaving.wait()
    leaving.gone()


def test_a_stop_signal_that_ended_the_payload_counts_as_the_first_of_two(start: Start, place: str) -> None:
    """`docker stop`, and again: that is the second."""
    leaving = Leaving(start, ["-t", LONG, "-e", "8:7"], ["telling"], place=place)
    leaving.init.signal(signal.SIGTERM)
    leaving.says("told 18", 1)
    leaving.init.signal(signal.SIGTERM)
    leaving.wait()
    leaving.gone()


def test_quit_before_the_only_term_does_not_count_as_the_first_of_two(start: Start, place: str) -> None:
    """STOPSIGNAL QUIT, or a preStop hook's QUIT and then the kubelet: that TERM cut the grace period short."""
    leaving = Leaving(start, ["-v", "-t", LONG], ["telling"], place=place)
    leaving.init.signal(signal.SIGQUIT)
    leaving.init.idle()
    leaving.end()
    leaving.says("told 3", 1)
    leaving.says("told 18", 1)
    leaving.init.signal(signal.SIGTERM)
    leaving.says("told 15", 1)
    leaving.init.signal(signal.SIGINT)
    leaving.init.expect_error("INT is the second stop signal: the grace period ends\n")
    leaving.wait()
    leaving.gone()


@pytest.mark.parametrize(("rule", "first"), [("TERM:USR1", signal.SIGTERM), ("USR1:TERM", signal.SIGUSR1)])
def test_the_stop_signal_that_ended_the_payload_counts_before_and_after_its_rewrite(
    start: Start, place: str, rule: str, first: int
) -> None:
    leaving = Leaving(start, ["-t", LONG, "-r", rule, "-e", "8:7"], ["telling"], place=place)
    leaving.init.signal(first)
    leaving.says("told 18", 1)
    leaving.init.signal(signal.SIGINT)
    leaving.wait()
    leaving.gone()


def test_a_rewritten_stop_signal_in_the_grace_period_counts_before_and_after_its_rewrite(
    start: Start, place: str
) -> None:
    """QUIT alone is no order to hurry; TERM is, though nginx wants to see it as QUIT."""
    leaving = Leaving(start, ["-t", LONG, "-r", "TERM:QUIT", "-r", "USR1:TERM"], ["telling"], place=place).end()
    leaving.says("told 18", 1)
    leaving.init.signal(signal.SIGQUIT)
    leaving.says("told 3", 1)
    # It becomes the signal that they have had; the first that counts it is all the same.
    leaving.init.signal(signal.SIGTERM)
    leaving.init.idle()
    leaving.says("told 3", 1)
    leaving.init.signal(signal.SIGUSR1)
    leaving.wait()


def test_a_dropped_signal_does_not_end_the_grace_period(start: Start) -> None:
    leaving = Leaving(start, ["-vv", "-t", LONG, "-r", "INT:0"], ["telling"]).end()
    leaving.says("told 18", 1)
    for _ in range(2):
        leaving.init.signal(signal.SIGINT)
        leaving.init.expect_error("INT is dropped")
    leaving.init.signal(signal.SIGHUP)
    leaving.says("told 1", 1)
    os.kill(leaving.left[0], signal.SIGUSR2)
    leaving.wait()


def test_with_v_the_processes_left_and_those_killed_are_named(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-v", "-t", LONG], ["plain:2", "deaf", "stopped"], place=place).end()
    until(lambda: "1 left" in title(leaving.init.pid), "three of them ended")
    stays(lambda: procfs.alive(leaving.left[2]), "the deaf one", 0.2)
    for _ in range(2):
        leaving.init.idle()
        leaving.init.signal(signal.SIGTERM)
    leaving.wait()
    error = leaving.init.stderr
    left = re.findall(r"^pyinit: left: (\d+) leave-\w+ \((.+), (\d+\.\d) s old\)$", error, re.MULTILINE)
    assert len(left) == 4
    assert [state for _, state, _ in left].count("stopped") == 1
    ((killed, age),) = re.findall(r"^pyinit: KILL: (\d+) leave-\w+ \(.+, (\d+\.\d) s old\)$", error, re.MULTILINE)
    assert killed == left[2][0]
    assert float(left[2][2]) < float(age) < 20


def test_without_v_nothing_is_logged_of_the_grace_period(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", "0.1"], ["plain", "deaf"], place=place).end()
    leaving.wait()
    assert leaving.init.stderr == ""


@pytest.mark.parametrize("option", ["-v", "-g", "-a"])
def test_a_process_left_that_may_not_be_signalled_does_not_hold_init_up(
    start: Start, place: str, program: list[str], tmp_path: Path, option: str
) -> None:
    """Regression: 3 s of grace and 1 s after a KILL that could reach nobody: without KILL and SETUID, another user."""
    how = {"place": place, "program": [*WITHOUT_KILL_AND_SETUID, *program]}
    other = [*as_nobody(tmp_path), "sleep", "1000"]
    init = start(option, "-t", LONG, "--", *shell('"$@" & read -r line; exit 7', *other), stdin=subprocess.PIPE, **how)
    left = until(lambda: _sleeping(init.payload), "another user's process")
    init.end_input()
    assert init.wait().code == 7
    try:
        said = r"pyinit: not waited for, because pyinit may not signal it: \d+ sleep \(\w+, \d+\.\d s old\)\n"
        assert len(re.findall(said, init.stderr)) == (option == "-v" or place == "subreaper")
    finally:
        kill(left)


def _sleeping(parent: int) -> int:
    return next((pid for pid in procfs.children(parent) if procfs.command(pid)[:1] == ["sleep"]), 0)


def test_a_process_left_of_another_user_gets_term_if_init_may_change_its_user(
    start: Start, place: str, program: list[str]
) -> None:
    """Without KILL, but with SETUID: as its owner."""
    how = {"place": place, "program": [*WITHOUT_KILL, *program]}
    leaving = Leaving(start, ["-t", LONG], ["other:2", "plain"], **how).end()
    leaving.wait()
    leaving.gone()
    assert leaving.init.stderr == ""


def test_an_ordinary_users_init_does_not_wait_for_a_process_of_roots(
    start: Start, enter: Enter, program: list[str]
) -> None:
    """Regression: `docker run --user 1000`, then `docker exec -u 0`: 4 s, and a line that it was still there."""
    leaving = Leaving(start, ["-t", "60"], ["plain"], program=[*NOBODY, *program])
    entered = enter(leaving.init.pid, "sleep", "1000")
    leaving.end().wait()
    until(lambda: not procfs.alive(entered), "the end of all in the namespace")
    assert leaving.init.stderr == ""


def test_a_process_left_that_cannot_be_killed_is_named_a_second_after_kill(
    start: Start, program: list[str], tmp_path: Path
) -> None:
    """By what init asks the kernel for: this machine may be slow."""
    log = tmp_path / "trace"
    traced = [*immortal(log), *program]
    leaving = Leaving(start, ["-t", "0.2"], ["plain"], program=traced, place="subreaper").end()
    leaving.wait()
    with leaving.surviving():
        asked = re.findall(r"tv_sec=(\d+), tv_nsec=(\d+)\}", log.read_text())
        assert 0.5 < max(int(seconds) + int(rest) / 1e9 for seconds, rest in asked) <= 1.0
        (line,) = leaving.init.stderr.splitlines()
        assert re.match(r"pyinit: still there 1 s after KILL: \d+ leave-\w+ \(\w+, \d+\.\d s old\); init ends", line)


def test_many_processes_left_that_cannot_be_killed_are_named_in_one_line(
    start: Start, program: list[str], tmp_path: Path
) -> None:
    traced = [*immortal(tmp_path / "trace"), *program]
    leaving = Leaving(start, ["-t", "0.1"], ["plain:25"], program=traced, place="subreaper").end()
    leaving.wait()
    with leaving.surviving():
        (line,) = leaving.init.stderr.splitlines()
        assert line.count(" leave-") == 20
        assert ", 5 more; init ends without them" in line


@pytest.mark.parametrize("who", ["plain:3", "deaf:2"])
def test_without_proc_pid_1_still_ends_the_processes_left(start: Start, who: str) -> None:
    leaving = Leaving(start, ["-t", "0.3" if who == "deaf:2" else LONG], [who], place=WITHOUT_PROC).end()
    took = leaving.wait()
    assert who != "deaf:2" or took >= 0.3
    assert leaving.init.stderr == ""


def test_without_proc_a_subreaper_says_once_that_it_cannot_reach_what_is_left(start: Start, program: list[str]) -> None:
    around = [*WITHOUT_PROC, *shell('"$@"; exit $?'), *program]
    init = start("-t", "0.2", "--", *shell("sleep 1000 & exit 7"), program=around, place="subreaper")
    assert init.wait().code == 7
    assert init.stderr.count("what is left cannot be reached: /proc: ") == 1


def test_with_the_proc_of_another_namespace_no_foreign_process_is_signalled(start: Start, program: list[str]) -> None:
    """Its pids would mean others here: a namespace without a /proc of its own, and init not its PID 1."""
    inside = [*NAMESPACE[:-1], "sh", "-c", '"$@"; exit $?', "sh"]
    init = start("-t", "0.2", "--", *payload("leave", "deaf"), program=[*inside, *program], place="subreaper")
    init.expect("ready\n")
    leave = until(
        lambda: next(
            (each for each in procfs.descendants(init.pid) if "leave" in " ".join(procfs.command(each)[:1])), 0
        ),
        "the payload",
    )
    os.kill(leave, signal.SIGUSR1)
    assert init.wait().code == 7
    assert "what is left cannot be reached" in init.stderr


def test_a_subreapers_grace_period_touches_no_process_of_others(start: Start, program: list[str]) -> None:
    """A sibling in the same group and session, and a process that init's parent has started."""
    script = 'sleep 600 & "$@"; code=$?; kill -0 $! && echo alive; kill -9 $!; exit $code'
    words = [*program, "-t", "0.2", "--", *payload("leave", "deaf")]
    shell_around = start(*shell(script, *words), program=(), place="subreaper")
    shell_around.expect("ready\n")
    leave = until(
        lambda: next(
            (
                each
                for each in procfs.descendants(shell_around.pid)
                if procfs.command(each)[1:] == ["deaf"] and procfs.command(procfs.parent(each))[1:] != ["deaf"]
            ),
            0,
        ),
        "the payload",
    )
    os.kill(leave, signal.SIGUSR1)
    assert shell_around.wait().code == 7
    assert shell_around.stdout == "ready\nalive\n"


def test_nothing_left_costs_one_system_call_as_pid_1_and_none_elsewhere(
    start: Start, place: str, program: list[str], tmp_path: Path
) -> None:
    """waitpid says that there are no children; kill(-1, 0) that there is nobody else in the namespace."""
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-o", str(trace), *(NAMESPACE if place == "pid1" else ())]
    assert start("--", *shell("exit 3"), program=[*strace, *program], place="subreaper").wait().code == 3
    calls = [line.split(maxsplit=1) for line in trace.read_text().splitlines()]
    # The payload's end is first seen by the init, and by unshare the init's.
    init = next(pid for pid, call in calls if call.startswith("wait4(") and "WEXITSTATUS(s) == 3" in call)
    own = [call for pid, call in calls if pid == init]
    after = own[1 + next(number for number, call in enumerate(own) if "WEXITSTATUS(s) == 3" in call) :]
    # Memory, and the file that says whether the payload's end was the OOM killer's doing.
    beside = ("brk", "mmap", "munmap", "open", "openat", "fcntl", "read", "close", "+++ exited with 3 +++")
    expected = ["wait4", "kill", "exit_group"] if place == "pid1" else ["wait4", "exit_group"]
    assert [name for name in (call.partition("(")[0] for call in after) if name not in beside] == expected
    if place == "pid1":
        assert any(call.startswith("kill(-1, 0)") and "ESRCH" in call for call in after)


def test_under_dumb_inits_name_the_processes_left_get_term_without_a_wait(
    start: Start, named: Callable[[str], str]
) -> None:
    leaving = Leaving(start, [], ["telling"], program=[named("dumb-init")], place="subreaper").end()
    leaving.wait()
    with leaving.surviving() as left:
        assert left == leaving.left
        leaving.says("told 15", 1)


def test_the_grace_period_works_where_there_is_no_room_for_a_title(start: Start) -> None:
    """Init with an empty environment and no arguments to spare has no room for one."""
    leaving = Leaving(start, ["-t", LONG], ["telling"], environment={}).end()
    leaving.says("told 18", 1)
    assert title(leaving.init.pid)
    os.kill(leaving.left[0], signal.SIGUSR2)
    leaving.wait()


def test_without_being_a_subreaper_init_leaves_orphans_alone(start: Start) -> None:
    """Who is adopted by somebody else is no descendant any more."""
    leaving = Leaving(start, ["--no-subreaper", "-t", LONG], ["telling"], place="subreaper").end()
    leaving.wait()
    with leaving.surviving() as left:
        assert left == leaving.left
        assert "told" not in leaving.init.stdout


def test_an_init_that_was_stopped_during_the_grace_period_looks_again_when_it_goes_on(start: Start, place: str) -> None:
    """All of it has ended meanwhile, in one go."""
    leaving = Leaving(start, ["-t", LONG], ["telling:3"], place=place).end()
    leaving.says("told 18", 3)
    leaving.init.signal(signal.SIGSTOP)
    until(lambda: procfs.state(leaving.init.pid) == "T", "its stop")
    for pid in leaving.left:
        kill(pid)
    leaving.init.signal(signal.SIGCONT)
    leaving.wait()
