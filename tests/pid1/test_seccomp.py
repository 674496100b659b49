"""Under a seccomp filter init does what it still can, and says what it cannot."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Iterable

import pytest

from tests.long.hostile import contract
from tests.long.hostile.refusals import DISPENSABLE, ERRORS, NEEDED, NEEDED_FROM_SOURCE, refused
from tests.support import procfs
from tests.support.commands import shell
from tests.support.idle_init import WAITS
from tests.support.outcomes import ENDED, HELD
from tests.support.polling import until
from tests.support.survivors import LONG, Leaving
from tests.support.tty import INTERRUPT
from tests.support.types import OpenTerminal, Start
from tests.support.wide import one_in

KILL_REFUSED = "USR1 could not be sent to "


@pytest.fixture(params=ERRORS, ids=os.strerror)
def error(request: pytest.FixtureRequest) -> int:
    """What a filter answers: docker's and podman's is EPERM, that of others ENOSYS."""
    number: int = request.param
    return number


def without(program: list[str], error: int, *names: str) -> list[str]:
    """The words that start pyinit under a filter that refuses these calls."""
    return [*refused(names, error).filter, *program]


def by_kind(table: Iterable[tuple[str, ...]]) -> pytest.MarkDecorator:
    """The parameters `kind` and `names`: every kind of pyinit with every row that it can be started under."""
    rows = [
        pytest.param(kind, names, id=f"{kind}-{'+'.join(names)}")
        for names in table
        for kind in ("source", "frozen")
        if kind == "frozen" or names not in NEEDED_FROM_SOURCE
    ]
    return pytest.mark.parametrize(("kind", "names"), one_in(3, rows), indirect=["kind"])


@by_kind(DISPENSABLE)
def test_init_works_without_each_system_call_it_can_do_without(
    program: list[str], place: str, names: tuple[str, ...], error: int
) -> None:
    result = contract.live([*program, "--"], refused(names, error), place)
    unadopted = f"pyinit: orphans will not be adopted: PR_SET_CHILD_SUBREAPER: {os.strerror(error)}\n"
    assert result == (HELD, contract.CODE, unadopted if place == "subreaper" and "prctl" in names else "")


def test_orphans_that_need_not_be_adopted_are_no_reason_for_a_warning(
    start: Start, program: list[str], error: int
) -> None:
    done = start("--no-subreaper", "--", "true", program=without(program, error, "prctl"), place="subreaper").wait()
    assert done == (0, "", "")


@by_kind(NEEDED)
def test_without_a_system_call_that_init_needs_it_says_so(
    program: list[str], place: str, names: tuple[str, ...], error: int
) -> None:
    result = contract.live([*program, "--"], refused(names, error), place)
    assert result.outcome == ENDED, result
    assert result.detail.startswith(f"pyinit: {NEEDED[names]}{os.strerror(error)}"), result


def test_a_refused_parent_death_signal_does_not_keep_the_payload_from_running(
    start: Start, program: list[str], error: int
) -> None:
    """Regression: from source the error was that the group could not be made, and the payload did not run."""
    words = ["--no-subreaper", "-p", "KILL", "--", "true"]
    done = start(*words, program=without(program, error, "prctl"), place="subreaper").wait()
    why = f"PR_SET_PDEATHSIG: {os.strerror(error)}"
    assert done == (0, "", f"pyinit: -p: the parent's death will not be noticed: {why}\n")


def test_where_setpgid_is_refused_the_error_names_c_and_c_works(program: list[str], error: int) -> None:
    """Regression: the error named -u."""
    start = refused(["setpgid"], error)
    assert "-c" in contract.live([*program, "--"], start).detail
    assert contract.live([*program, "-c", "--"], start).outcome == HELD


def test_with_a_signals_reach_all_where_pidfd_send_signal_is_refused(program: list[str], error: int) -> None:
    """Regression: under a filter older than this call, which allows pidfd_open, -a signalled no process."""
    start = refused(["pidfd_send_signal"], error)
    assert contract.live([*program, "-a", "--"], start, "subreaper") == (HELD, contract.CODE, "")


def test_orphans_are_told_of_without_their_names_where_waitid_is_forbidden(
    program: list[str], place: str, error: int
) -> None:
    """Regression: -w and -vv killed the payload."""
    outcome, _, text = contract.live([*program, "-w", "--"], refused(["waitid"], error), place)
    assert outcome == HELD
    [line] = text.splitlines()
    assert line.startswith("pyinit: reaped ")
    assert "(" not in line


def test_log_lines_are_written_where_poll_is_refused(program: list[str], error: int) -> None:
    assert "TERM is forwarded" in contract.live([*program, "-vv", "--"], refused(["poll"], error)).detail


def test_where_every_kill_is_refused_the_payload_can_still_exit(
    start: Start, program: list[str], place: str, error: int
) -> None:
    """Every kill is refused: it is said, and nothing else is different."""
    init = start(
        *("-t", "0.1", "--", *shell('read line; exit "$line"')),
        program=without(program, error, "kill"),
        place=place,
        stdin=(pipe := os.pipe())[0],
    )
    os.close(pipe[0])
    with os.fdopen(pipe[1], "wb") as answer:
        until(lambda: procfs.command(init.payload)[:1] == ["/bin/sh"], "the payload")
        init.signal(signal.SIGUSR1)
        assert KILL_REFUSED in init.expect_error("\n")
        answer.write(b"9\n")
    assert init.wait().code == 9


def test_what_is_left_is_not_waited_for_where_kill_is_forbidden(
    start: Start, program: list[str], place: str, error: int
) -> None:
    how = {"program": without(program, error, "kill"), "place": place}
    leaving = Leaving(start, ["-v", "-t", LONG], ["plain"], **how).end()
    leaving.wait()
    with leaving.surviving():
        assert "not waited for, because pyinit may not signal it: " in leaving.init.stderr


def test_under_a_narrow_filter_the_processes_left_are_waited_for(
    start: Start, program: list[str], place: str, error: int
) -> None:
    narrow = without(program, error, "pidfd_open", "rt_sigtimedwait", "waitid", "close_range")
    assert start("-t", LONG, "--", *shell("sleep 1000 & exit 7"), program=narrow, place=place).wait() == (7, "", "")


def test_where_kill_is_refused_a_job_control_stop_does_not_end_init(
    terminal: OpenTerminal, program: list[str], error: int
) -> None:
    """Regression: kill was refused to init for itself as well, which ended init and the payload."""
    bash = terminal()
    bash.prompt(0)
    bash.type(shlex.join([*without(program, error, "kill"), "sleep", "1000"]))
    child = bash.runs("sleep", "1000")
    init = procfs.parent(child)
    os.kill(init, signal.SIGTSTP)
    bash.expect("TSTP could not be sent to ")
    until(lambda: procfs.sleeping_in(init) in WAITS, "init waits for the next one")
    bash.press(INTERRUPT)
    bash.prompt(130)


@pytest.mark.parametrize("call", ["kill", "rt_sigtimedwait"])
def test_with_session_the_payload_takes_the_terminal_under_a_filter(
    terminal: OpenTerminal, program: list[str], call: str, error: int
) -> None:
    """Regression: where these are refused, init's stand-in at the terminal stayed, or became a second init."""
    one = terminal(*without(program, error, call), "-S", "--", "sleep", "1000")
    child = one.runs("sleep", "1000")
    assert procfs.session(child) == child
    until(lambda: procfs.children(one.pid) == [child], "nobody besides the payload")
    one.press(INTERRUPT)
    assert one.wait() == 130
    assert "pyinit: " not in one.screen
