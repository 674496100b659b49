"""--follow: a daemon that goes to the background takes the payload's place."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.commands import ENVIRONMENT, payload, shell
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.types import RunAs, Start
from tools.namespace import NAMESPACE


def following(start: Start, place: str, *options: str, kinds: tuple[str, ...] = ("daemon",)) -> tuple[Init, int]:
    """Start a daemon under -v and these options; wait until init follows it, return init and the daemon's pid there."""
    init = start("-v", *options, "--", *payload("daemon", *kinds), place=place)
    init.expect_error("following ")
    init.expect_error(" old)\n")
    return init, int(re.findall(r"following (\d+) ", init.stderr)[-1])


def test_a_followed_daemon_gets_the_signals_and_its_exit_code_is_inits(start: Start, place: str) -> None:
    init, daemon = following(start, place, "--follow")
    init.expect(f"{daemon} is daemon\n")
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, 40):
        init.signal(number)
        init.expect(f"{daemon} got {int(number)}\n")
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 3


def test_a_daemon_that_is_killed_ends_the_container_though_its_helpers_live(start: Start, place: str) -> None:
    """Regression: with -W the container went on without its daemon, and its exit code was 0."""
    daemon = "setsid sh -c 'sleep 1000 & sleep 0.2; kill -KILL \"$$\"' </dev/null >/dev/null 2>&1 & exit 0"
    assert start("-W", "--follow", "-t", "60", "--", *shell(daemon), place=place).wait().code == 137


def test_a_process_between_the_payload_and_its_daemon_may_exit(start: Start, place: str) -> None:
    init, _ = following(start, place, "--follow", kinds=("between",))
    init.expect("is between\n")
    until(lambda: init.stderr.count("following") == 2, "the daemon itself")
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 3


@pytest.mark.parametrize("option", ["-g", "-a", "-S"])
def test_options_that_say_where_signals_go_hold_for_a_followed_daemon(start: Start, place: str, option: str) -> None:
    init, daemon = following(start, place, "--follow", option)
    init.signal(signal.SIGHUP)
    init.expect(f"{daemon} got 1\n")
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 3


def test_with_g_signals_reach_a_daemon_that_has_gone_to_another_group(start: Start, place: str) -> None:
    """Regression: init kept sending to the group in which it had found the daemon."""
    init, daemon = following(start, place, "--follow", "-g", kinds=("late",))
    init.signal(signal.SIGHUP)
    init.expect(f"{daemon} is away\n")
    init.signal(40)
    init.expect(f"{daemon} got 40\n")
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 3


def test_a_daemon_that_was_stopped_before_it_was_found_is_continued_after_a_stop_signal(
    start: Start, place: str, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    init, daemon = following(start, place, f"--follow={file}", "-t", "0.1", kinds=(f"stopped={file}",))
    init.signal(signal.SIGTERM)
    init.expect(f"{daemon} got 15\n")
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 3


def test_dumb_init_does_not_ask_the_daemon_to_end_that_it_is_to_follow(run_as: RunAs) -> None:
    """Regression: the TERM of dumb-init's at the payload's end went to the daemon."""
    environment = {**ENVIRONMENT, "PYINIT_OPTIONS": "-v --follow"}
    words = payload("daemon", "late")
    init = run_as("dumb-init", *words, environment=environment, place="subreaper")
    init.expect_error("following ")
    init.expect("is late\n")
    init.idle()
    assert "got 15" not in init.stdout
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 3


def test_a_relative_pid_file_in_a_deleted_directory_is_a_one_line_error(start: Start, tmp_path: Path) -> None:
    """Regression: an internal error."""
    gone = tmp_path / "gone"
    gone.mkdir()
    around = [*shell(f'cd {gone} && rmdir {gone} && exec "$@"')]
    code, _, error = start("--follow=x.pid", "--", "true", place=[*NAMESPACE, *around]).wait()
    assert (code, error.count("\n")) == (125, 1)
    assert error.startswith("pyinit: --follow=x.pid: the current directory: ")


def test_kill_after_holds_for_a_followed_daemon(start: Start, place: str) -> None:
    init, daemon = following(start, place, "--follow", "-k", "0.2")
    init.signal(signal.SIGTERM)
    init.expect(f"{daemon} got 15\n")
    assert init.wait().code == 137


def test_the_pid_file_says_which_of_several_processes_is_followed(start: Start, place: str, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    kinds = ("helper", f"daemon={file}")
    init, daemon = following(start, place, f"--follow={file}", "-t", "0.1", kinds=kinds)
    assert int(file.read_text()) == daemon
    init.signal(signal.SIGHUP)
    init.expect(f"{daemon} got 1\n")
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 3


def test_a_pid_file_left_by_an_earlier_container_is_not_believed(start: Start, place: str, tmp_path: Path) -> None:
    """In a volume, it names a process by a pid that another has now."""
    file = tmp_path / "pid"
    # As PID 1 that is the helper's, if the payload's is 2.
    file.write_text("3\n")
    init, daemon = following(start, place, f"--follow={file}", "-t", "0.1", kinds=("helper", f"daemon={file}"))
    init.signal(signal.SIGUSR2)
    init.expect(f"{daemon} got 12\n")
    assert init.wait().code == 3


@pytest.mark.parametrize("named", [False, True], ids=["alone", "PIDFILE"])
def test_a_daemons_successor_is_followed_if_no_stop_signal_came(
    start: Start, place: str, tmp_path: Path, named: bool
) -> None:
    """An upgrade as of nginx, gunicorn and unicorn: a new master is started, and the old one told to end."""
    file = tmp_path / "pid"
    kind, option = (f"successor={file}", f"--follow={file}") if named else ("successor", "--follow")
    init, daemon = following(start, place, option, kinds=(kind,))
    (master,) = procfs.children(init.pid)
    init.signal(signal.SIGHUP)
    init.expect(" is heir\n")
    os.kill(master, signal.SIGQUIT)
    until(lambda: init.stderr.count("following") == 2, "the successor followed")
    heir = int(re.findall(r"following (\d+) ", init.stderr)[-1])
    assert heir != daemon
    init.signal(signal.SIGHUP)
    init.expect(f"{heir} got 1\n")
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 3


def test_a_daemons_successor_is_not_followed_after_a_stop_signal(start: Start, place: str) -> None:
    init, daemon = following(start, place, "--follow", "-t", "0.1", kinds=("successor",))
    init.signal(signal.SIGHUP)
    init.expect(" is heir\n")
    init.signal(signal.SIGQUIT)
    init.expect(f"{daemon} got 3\n")
    assert init.wait().code == 0
    assert init.stderr.count("following") == 1


def test_several_daemons_without_a_pid_file_are_a_one_line_error_and_none_is_left_running(
    start: Start, place: str
) -> None:
    init = start("--follow", "--", *payload("daemon", "one", "two"), place=place)
    init.expect(" is ")
    init.expect(" is ")
    left = procfs.children(init.pid)
    assert init.wait().code == 125
    left_ones = r"the payload has left several processes \(\d+ \S+, \d+ \S+\): name one by --follow=PIDFILE"
    assert re.fullmatch(f"pyinit: --follow: {left_ones}\n", init.stderr)
    assert not [pid for pid in left if procfs.alive(pid)]


@pytest.mark.parametrize("options", [["--follow"], ["--follow=/nonexistent/pid"]], ids=" ".join)
def test_a_payload_that_leaves_no_daemon_is_a_one_line_error(start: Start, place: str, options: list[str]) -> None:
    init = start(*options, "--", *payload("daemon", "sour"), place=place)
    assert init.wait()[::2] == (
        125,
        "pyinit: --follow: the payload has left no process that could take its place\n",
    )


def test_a_pid_file_that_is_never_written_is_a_one_line_error(start: Start, place: str) -> None:
    init = start("--follow=/nonexistent/pid", "-t", "0.1", "--", *payload("daemon", "one"), place=place)
    assert init.wait().code == 125
    assert init.stderr == "pyinit: --follow: /nonexistent/pid does not name a child of init after 5 s\n"


def test_no_daemon_is_looked_for_after_a_payload_that_failed(start: Start, place: str) -> None:
    init = start("--follow", "-t", "60", "--", *shell("sleep 1000 & exit 4"), place=place)
    assert init.wait()[::2] == (4, "")


def test_a_stop_signal_while_init_looks_for_the_daemon_ends_all_processes(start: Start, place: str) -> None:
    init = start("-v", "--follow=/nonexistent/pid", "--", *shell("sleep 1000 & exit 0"), place=place)
    init.expect_error("looking for the process that /nonexistent/pid names\n")
    (left,) = procfs.children(init.pid)
    init.signal(signal.SIGTERM)
    assert init.wait().code == 0
    assert not procfs.alive(left)


def test_signals_that_come_while_init_looks_for_the_daemon_are_kept_for_it(
    start: Start, place: str, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    init = start("-v", f"--follow={file}", "-t", "0.1", "--", *payload("daemon", "daemon", "helper"), place=place)
    init.expect_error("ended: exit code 0\n")
    init.expect(" is ")
    init.expect(" is ")
    init.signal(signal.SIGHUP)
    init.signal(40)
    until(lambda: not procfs.signals(init.pid, "ShdPnd"), "both taken")
    daemon = int(next(line for line in init.stdout.splitlines() if "is daemon" in line).split()[0])
    file.write_text(f"{daemon}\n")
    init.expect(f"{daemon} got 1\n")
    init.expect(f"{daemon} got 40\n")
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 3


def test_an_init_that_follows_a_daemon_does_not_wake_up(start: Start, place: str) -> None:
    init, daemon = following(start, place, "--follow")
    init.expect(f"{daemon} is daemon\n")
    # sigwaitinfo(2) has no end.
    assert init.idle()[3] == "0x0"
    init.signal(signal.SIGUSR2)
    init.wait()


def test_an_empty_argument_of_follow_is_refused(start: Start) -> None:
    init = start("--follow=", "--", "true")
    assert init.wait()[::2] == (
        125,
        "pyinit: --follow '': give an argument, or leave out the = (see pyinit --help)\n",
    )


def test_an_option_follow_behind_the_program_is_the_payloads(start: Start) -> None:
    assert start("echo", "--follow=x").wait().stdout == "--follow=x\n"
