"""The payload, those it leaves behind, both at once, or anybody in between: init ends, with the payload's code."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import ENVIRONMENT, payload, shell
from tests.support.harness import Init
from tests.support.nsenter import Enter
from tests.support.polling import until
from tests.support.procfs import title
from tests.support.survivors import CODE, LONG, Leaving
from tests.support.types import Start
from tools.namespace import NAMESPACE

# For the shell that is PID 1 around an init: it says how many processes there are at last, itself among them.
COUNT = '"$@"; code=$?; set -- /proc/[0-9]*; echo "$#"; exit $code'


def reap(entered: int, outer: int) -> None:
    """End whoever does not wait for one who entered: then it is ours, outside of its namespace."""
    kill(outer)
    until(lambda: procfs.parent(entered) == os.getpid(), "a child of ours")
    os.waitpid(entered, 0)


def test_the_payload_may_exit_before_its_descendants(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG], ["plain", "away", "deep", "stopped"], place=place).end()
    leaving.wait()
    leaving.gone()


def test_the_payload_may_be_killed_before_its_descendants(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", "0.2", "-e", "137:7"], ["plain", "deaf", "stopped"], place=place)
    leaving.end(signal.SIGKILL)
    assert leaving.wait() >= 0.2
    leaving.gone()


def test_the_descendants_may_exit_before_the_payload(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-v", "-t", LONG], ["plain:2", "deaf", "away"], place=place)
    for pid in leaving.left:
        kill(pid)
    # They stay the payload's zombies, which it does not wait for.
    until(lambda: not any(procfs.alive(pid) for pid in leaving.left), "their end")
    leaving.end().wait()
    assert "left:" not in leaving.init.stderr


@pytest.mark.parametrize("count", [5, 300])
def test_payload_and_descendants_may_exit_at_once(start: Start, place: str, count: int) -> None:
    """Stopped, init sees all of it in one go: first the payload's end, and then the others'."""
    leaving = Leaving(start, ["-v", "-t", LONG, "-e", "137:7"], [f"deaf:{count}"], place=place)
    leaving.init.signal(signal.SIGSTOP)
    until(lambda: procfs.state(leaving.init.pid) == "T", "its stop")
    os.killpg(leaving.payload, signal.SIGKILL)
    until(lambda: not any(procfs.alive(pid) for pid in [leaving.payload, *leaving.left]), "their end")
    leaving.init.signal(signal.SIGCONT)
    assert leaving.init.wait().code == CODE
    assert "left:" not in leaving.init.stderr


def test_the_payloads_whole_group_may_be_killed_while_init_runs(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG, "-e", "137:7"], ["deaf:50"], place=place)
    os.killpg(leaving.payload, signal.SIGKILL)
    assert leaving.init.wait().code == CODE
    leaving.gone()


def test_the_payload_may_exit_during_the_delay_of_d(start: Start, place: str) -> None:
    """What was held back does not hold up those who are left."""
    leaving = Leaving(start, ["-d", LONG, "-t", LONG], ["telling"], place=place)
    leaving.init.signal(signal.SIGTERM)
    until(lambda: not procfs.signals(leaving.init.pid, "ShdPnd"), "TERM taken")
    leaving.end()
    leaving.says("told 18", 1)
    leaving.says("told 15", 1)
    # The one held back was the first.
    leaving.init.signal(signal.SIGTERM)
    leaving.wait()
    leaving.gone()


def test_the_descendants_may_exit_during_the_delay_of_d(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-d", "0.2", "-t", LONG, "-e", "8:7"], ["plain:3"], place=place)
    leaving.init.signal(signal.SIGTERM)
    for pid in leaving.left:
        kill(pid)
    assert leaving.init.wait().code == CODE


def test_the_grace_period_follows_the_kill_of_k(start: Start, place: str) -> None:
    """-k: KILL for the payload, then the grace period for those who are left."""
    leaving = Leaving(start, ["-k", "0.1", "-t", "0.2", "-r", "TERM:INT", "-e", "137:7"], ["deaf"], place=place)
    leaving.init.signal(signal.SIGTERM)
    assert leaving.init.wait().code == CODE
    leaving.gone()


@pytest.mark.parametrize("whom", ["-g", "-a"])
def test_a_process_that_is_started_because_of_term_is_not_sent_term(start: Start, place: str, whom: str) -> None:
    """KILL is for all. Init still walks through those many when they are born."""
    leaving = Leaving(start, [whom, "-t", LONG], ["heir:3", "plain", "deaf:100"], place=place).end()
    leaving.says("heir", 3)
    # To them as well, once the walk is over.
    leaving.init.signal(signal.SIGHUP)
    leaving.says("told 1", 3)
    assert "told 15" not in leaving.init.stdout
    leaving.init.signal(signal.SIGINT)
    leaving.says("told 2", 3)
    leaving.init.signal(signal.SIGINT)
    leaving.wait()
    leaving.gone()


def test_processes_that_are_started_while_init_looks_around_get_term(start: Start, place: str) -> None:
    """Somebody starts another every millisecond: each of them gets TERM, or this would take a minute."""
    leaving = Leaving(start, ["-t", LONG], ["workers", "plain:50"], place=place).end()
    leaving.wait()
    leaving.gone()
    assert leaving.init.stdout.count("told 15") >= 30


@pytest.mark.parametrize("words", [(), ("--",)], ids=["pid1", "subreaper"])
def test_processes_that_keep_replacing_themselves_are_killed(
    start: Start, program: list[str], words: tuple[str, ...]
) -> None:
    """One starts the next and ends, a thousand times a second; here in a namespace, whoever is its PID 1."""
    around = [*NAMESPACE, *(shell(COUNT) if words else ())]
    init = start("-t", "0.1", "--", *payload("leave", "chain"), program=[*around, *program], place="subreaper")
    init.expect("ready\n")
    leave = until(lambda: _payload(init), "the payload")
    os.kill(leave, signal.SIGUSR1)
    assert init.wait().code == CODE
    assert init.stderr == ""
    if words:
        assert init.stdout == "ready\n1\n"


def test_a_process_that_is_started_in_the_midst_of_a_kill_is_killed(
    start: Start, program: list[str], tmp_path: Path
) -> None:
    """Held up after each KILL, init finds somebody at its next look who was born since."""
    trace = ["strace", "-qq", "-o", str(tmp_path / "trace")]
    slow = [*trace, "-e", "trace=pidfd_send_signal", "-e", "inject=pidfd_send_signal:delay_exit=300000"]
    words = ["-a", "-r", "TERM:KILL", "--", *payload("leave", "links")]
    init = start(*words, program=[*NAMESPACE, *shell(COUNT), *slow, *program], place="subreaper")
    init.expect("ready\n")
    leave = until(lambda: _payload(init), "the payload")
    os.kill(procfs.parent(leave), signal.SIGTERM)
    assert init.wait() == (137, "ready\n1\n", "")
    assert "DELAYED" in (tmp_path / "trace").read_text()


def _payload(init: Init) -> int:
    for pid in procfs.descendants(init.pid):
        if "leave" in (procfs.command(pid) or [""])[0] and procfs.group(pid) == pid:
            return pid
    return 0


@pytest.mark.parametrize("who", ["plain:1000", "away:1000", "deaf:1000"])
def test_a_thousand_processes_left_are_ended(start: Start, place: str, who: str) -> None:
    leaving = Leaving(start, ["-t", "0.5" if who == "deaf:1000" else LONG], [who], place=place)
    leaving.end().wait()
    leaving.gone()
    assert leaving.init.stderr == ""


def test_a_process_that_entered_the_namespace_gets_term(start: Start, enter: Enter) -> None:
    leaving = Leaving(start, ["-v", "-t", LONG], [])
    entered = enter(leaving.init.pid, "sleep", "1000")
    leaving.end().wait()
    assert not procfs.alive(entered)
    assert leaving.init.stderr.count("left: ") == 1


def test_a_process_that_entered_the_namespace_and_ignores_term_gets_kill(start: Start, enter: Enter) -> None:
    leaving = Leaving(start, ["-t", "0.3"], ["plain"])
    entered = enter(leaving.init.pid, *payload("receive"))
    assert leaving.end().wait() >= 0.3
    assert not procfs.alive(entered)
    assert leaving.init.stderr == ""


def test_the_exit_of_a_process_that_entered_the_namespace_is_noticed(start: Start, enter: Enter) -> None:
    """It raises no SIGCHLD here. The children that it leaves become init's."""
    leaving = Leaving(start, ["-W"], [])
    entered = enter(leaving.init.pid, *payload("leave", "telling"))
    child = until(lambda: next(iter(procfs.children(entered)), 0), "its child")
    leaving.end()
    until(lambda: title(leaving.init.pid) == "pyinit: waiting, 2 left", "both seen")
    kill(entered)
    until(lambda: title(leaving.init.pid) == "pyinit: waiting, 1 left", "one seen")
    kill(child)
    leaving.wait()


@pytest.mark.parametrize("who", ["sleep", "receive"])
def test_a_zombie_that_entered_the_namespace_and_is_never_waited_for_does_not_hold_init(
    start: Start, enter: Enter, who: str
) -> None:
    """Its zombie does not count. The kernel lets the namespace end when it is gone."""
    leaving = Leaving(start, ["-t", LONG if who == "sleep" else "0.3"], ["plain"])
    words = ["sleep", "1000"] if who == "sleep" else payload("receive")
    entered = enter(leaving.init.pid, *words, reaped=False)
    outer = procfs.parent(entered)
    leaving.end()
    # Init has called exit: it has no memory any more.
    until(lambda: procfs.command(leaving.init.pid) == [], "init's exit")
    assert procfs.state(entered) == "Z"
    reap(entered, outer)
    leaving.wait()
    assert leaving.init.stderr == ""


def test_a_zombie_that_entered_the_namespace_does_not_count_as_left(start: Start, enter: Enter) -> None:
    leaving = Leaving(start, ["-v", "-t", LONG], [])
    entered = enter(leaving.init.pid, "sleep", "1000", reaped=False)
    outer = procfs.parent(entered)
    kill(entered)
    until(lambda: procfs.state(entered) == "Z", "a zombie")
    leaving.end()
    until(lambda: procfs.command(leaving.init.pid) == [], "init's exit")
    reap(entered, outer)
    leaving.wait()
    assert "left:" not in leaving.init.stderr


def test_a_process_that_enters_during_the_grace_period_does_not_outlive_it(start: Start, enter: Enter) -> None:
    leaving = Leaving(start, ["-t", LONG], ["telling"]).end()
    leaving.says("told 18", 1)
    entered = enter(leaving.init.pid, "sleep", "1000")
    leaving.init.signal(signal.SIGHUP)
    os.kill(leaving.left[0], signal.SIGUSR2)
    until(lambda: not procfs.alive(entered), "its end")
    leaving.wait()


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
def test_without_pidfds_a_process_that_entered_does_not_outlive_the_grace_period(
    start: Start, enter: Enter, program: list[str], error: str
) -> None:
    """On an old kernel, or by a seccomp profile: the period is the bound."""
    around = [*without_pidfds(error), *NAMESPACE, *program]
    leaving = Leaving(start, ["-t", "0.3"], ["plain", "deaf"], program=around, place="subreaper")
    entered = enter(procfs.parent(leaving.payload), "sleep", "1000")
    assert leaving.end().wait() >= 0.3
    assert not procfs.alive(entered)


def test_one_who_entered_is_not_waited_for_where_there_are_no_pidfds(
    start: Start, enter: Enter, program: list[str]
) -> None:
    around = [*without_pidfds("ENOSYS"), *NAMESPACE, *program]
    leaving = Leaving(start, ["-W"], ["telling"], program=around, place="subreaper")
    init = procfs.parent(leaving.payload)
    entered = enter(init, "sleep", "1000")
    leaving.end()
    until(lambda: title(init) == "pyinit: waiting, 2 left", "it waits")
    assert procfs.alive(entered)
    kill(leaving.left[0])
    leaving.wait()


def test_a_process_that_entered_may_exit_while_init_looks_who_is_left(
    start: Start, enter: Enter, program: list[str]
) -> None:
    """Regression: seen in /proc and gone when it was to be watched, it made an internal error of the exit code."""
    around = [*without_pidfds("ESRCH"), *NAMESPACE, *program]
    leaving = Leaving(start, ["-t", "0.3"], ["plain", "deaf"], program=around, place="subreaper")
    entered = [enter(procfs.parent(leaving.payload), "sleep", "1000") for _ in range(2)]
    assert leaving.end().wait() >= 0.3
    assert not any(procfs.alive(pid) for pid in entered)
    assert leaving.init.stderr == ""


@pytest.mark.parametrize("spare", [0, 1, 2])
def test_without_a_descriptor_to_spare_a_process_that_entered_does_not_outlive_the_period(
    start: Start, enter: Enter, program: list[str], spare: int
) -> None:
    """Regression: enough for a pidfd, but not for the pipe to watch it with, was an internal error."""
    leaving = Leaving(start, ["-t", "0.3"], ["plain", "deaf"], program=program)
    entered = enter(leaving.init.pid, "sleep", "1000")
    most = max(procfs.descriptors(leaving.init.pid)) + 1 + spare
    # Reading /proc needs one as well, so without any the entered are killed unseen.
    resource.prlimit(leaving.init.pid, resource.RLIMIT_NOFILE, (most, most))
    leaving.end().wait()
    until(lambda: not procfs.alive(entered), "the end of who entered")


def test_without_pidfds_a_subreaper_ends_the_processes_left(start: Start, program: list[str]) -> None:
    around = [*without_pidfds("ENOSYS"), *program]
    leaving = Leaving(start, ["-t", "0.3"], ["plain:3", "deaf", "away"], program=around, place="subreaper").end()
    leaving.wait()
    leaving.gone()


def without_pidfds(error: str) -> list[str]:
    """The words under which there are none, for whatever is started."""
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject=pidfd_open:error={error}"]


def test_an_outer_init_ends_what_an_inner_one_left(start: Start, program: list[str], place: str) -> None:
    """The variable is the outer one's alone: the inner has no period as a subreaper, and hands those on."""
    environment = {**ENVIRONMENT, "PYINIT_OPTIONS": f"-t {LONG}"}
    leaving = Leaving(start, [], ["telling"], program=[*program, "--", *program], environment=environment, place=place)
    leaving.end()
    leaving.says("told 18", 1)
    leaving.says("told 15", 1)
    assert procfs.parent(leaving.left[0]) == leaving.init.pid
    os.kill(leaving.left[0], signal.SIGUSR2)
    leaving.wait()


def test_an_inner_init_may_have_a_grace_period_of_its_own(start: Start, program: list[str], place: str) -> None:
    environment = {**ENVIRONMENT, "PYINIT_OPTIONS": f"-t {LONG}"}
    around = [*program, "--", *program, "-t", "0.2"]
    leaving = Leaving(start, [], ["deaf", "plain"], program=around, environment=environment, place=place).end()
    assert leaving.wait() >= 0.2
    leaving.gone()


def test_three_inits_are_stopped_with_one_signal(start: Start, program: list[str], place: str) -> None:
    around = [*program, "-t", LONG, "--"] * 3
    leaving = Leaving(start, ["-e", "8:7"], ["plain:2", "away"], program=around[:-1], place=place)
    leaving.init.signal(signal.SIGTERM)
    assert leaving.init.wait().code == CODE
    leaving.gone()
