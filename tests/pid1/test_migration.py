"""What differs on purpose from the program that pyinit is named after: the rows of docs/migration.md."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.cleanup import kill, wait_until_dead
from tests.support.commands import ENVIRONMENT, WITHOUT_KILL_AND_SETUID, as_nobody, payload, shell
from tests.support.polling import until
from tests.support.procfs import title
from tests.support.tty import INTERRUPT, SUSPEND, Terminal
from tests.support.types import OpenTerminal, RunAs, Start
from tools.namespace import NAMESPACE

NAMES = ["tini", "dumb-init", "catatonit"]
SLEEP = ["sleep", "1000"]
EACH = pytest.mark.parametrize("name", NAMES)
# It takes every signal and says so.
RECEIVE = payload("receive")


# --- Under every name ------------------------------------------------------------------------------


@EACH
def test_under_each_name_the_processes_left_get_term(run_as: RunAs, name: str) -> None:
    """And what does not end is killed three seconds later."""
    left = "trap 'echo asked; exit' TERM; echo ready; sleep 1000 & wait"
    deaf = "trap '' TERM; exec sleep 2000"
    init = run_as(name, *shell(f"({deaf}) & ({left}) & read line; exit 3"), stdin=subprocess.PIPE)
    init.expect("ready")
    until(lambda: ["sleep", "2000"] in map(procfs.command, procfs.descendants(init.pid)), "the deaf one")
    begun = time.monotonic()
    init.end_input()
    init.expect("asked")
    until(lambda: re.search("KILL in [123] s", title(init.pid)), "KILL to come")
    assert init.wait().code == 3
    assert time.monotonic() - begun >= 3


@EACH
def test_under_each_name_orphans_are_adopted_without_a_warning(run_as: RunAs, name: str) -> None:
    init = run_as(name, *shell("(sleep 1000 & echo orphan $!); read line"), place="subreaper", stdin=subprocess.PIPE)
    init.expect("orphan ")
    orphan = int(init.expect("\n"))
    until(lambda: procfs.parent(orphan) == init.pid, "an orphan that was adopted")
    assert init.stderr == ""


@EACH
def test_under_each_name_version_and_help_are_on_standard_output(run_as: RunAs, name: str) -> None:
    texts = {"--version": r"tini version \S+ \(pyinit\)( - git\.[0-9a-f]+)?\n", "-h": f"(?s)Usage: {name} .*pyinit.*"}
    for option, text in texts.items():
        done = run_as(name, option).wait()
        assert (done.code, done.stderr) == (0, "")
        assert re.fullmatch(text, done.stdout)


@EACH
def test_under_each_name_log_lines_are_on_standard_error_and_name_pyinit(run_as: RunAs, name: str) -> None:
    done = run_as(name, "no-such-program").wait()
    assert done.stdout == ""
    assert re.fullmatch("pyinit: no-such-program: not found.*\n", done.stderr)
    environment = {**ENVIRONMENT, "CATATONIT_DEBUG": "1"}
    done = run_as(name, "-v" if name != "catatonit" else "-g", "true", environment=environment).wait()
    assert done.stdout == ""
    assert "pyinit: payload" in done.stderr


def sleeping(bash: Terminal) -> int:
    """The payload's pid; with a session of its own it is not in the terminal's foreground."""
    return next((pid for pid in procfs.descendants(bash.pid) if procfs.command(pid) == SLEEP), 0)


@EACH
def test_under_each_name_the_suspend_key_gives_the_shell_its_prompt_back(
    terminal: OpenTerminal, named: Callable[[str], str], name: str
) -> None:
    bash = terminal()
    bash.prompt(0)
    bash.type(shlex.join([named(name), *SLEEP]))
    child = until(lambda: sleeping(bash), "a payload")
    bash.press(SUSPEND)
    bash.stopped()
    until(lambda: procfs.state(child) == "T", "a stopped payload")
    bash.type("fg")
    until(lambda: procfs.state(child) != "T", "a payload that goes on")
    bash.press(INTERRUPT)
    bash.prompt(130)


@EACH
def test_under_each_name_a_background_job_leaves_the_foreground_alone(
    terminal: OpenTerminal, named: Callable[[str], str], name: str
) -> None:
    bash = terminal()
    bash.prompt(0)
    bash.type(shlex.join([named(name), *SLEEP]) + " &")
    bash.prompt(0)
    until(lambda: sleeping(bash), "a payload")
    assert bash.foreground == bash.pid
    bash.type("kill %1; wait %1")
    bash.prompt(143)


@EACH
def test_under_each_name_a_payload_that_may_not_be_signalled_ends_nothing(
    run_as: RunAs, name: str, tmp_path: Path
) -> None:
    init = run_as(name, "--", *as_nobody(tmp_path), *RECEIVE, place=[*NAMESPACE, *WITHOUT_KILL_AND_SETUID])
    init.expect("got is ready\n")
    init.signal(signal.SIGTERM)
    assert "ermitted" in init.expect_error("\n")
    init.idle()
    assert procfs.alive(init.payload)


@EACH
def test_under_each_name_sigchld_inherited_as_ignored_hangs_nothing(run_as: RunAs, name: str, place: str) -> None:
    assert run_as(name, *shell("exit 3"), place=place, prepare=["ignore=17"]).wait().code == 3


@EACH
def test_under_each_name_a_closed_standard_input_ends_nothing(run_as: RunAs, name: str) -> None:
    assert run_as(name, *shell("exit 3"), prepare=["close=0"]).wait().code == 3


@EACH
@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV, signal.SIGTRAP])
def test_under_each_name_signals_of_faults_are_forwarded(run_as: RunAs, name: str, place: str, number: int) -> None:
    init = run_as(name, *RECEIVE, place=place)
    init.expect("got is ready\n")
    init.signal(number)
    init.expect(f"got {int(number)} ")


@EACH
@pytest.mark.parametrize("container", ["systemd-nspawn", "podman"])
def test_under_each_name_a_halt_signal_of_nspawn_or_podman_is_term(run_as: RunAs, name: str, container: str) -> None:
    init = run_as(name, *RECEIVE, environment={**ENVIRONMENT, "container": container})
    init.expect("got is ready\n")
    init.signal(37)
    init.expect("got 15 ")


@EACH
def test_under_each_name_a_killed_init_leaves_no_payload(run_as: RunAs, name: str) -> None:
    init = run_as(name, *RECEIVE, place="subreaper")
    init.expect("got is ready\n")
    below = init.payload
    kill(init.pid)
    wait_until_dead(below)


@EACH
def test_under_each_name_real_time_signals_are_forwarded(run_as: RunAs, name: str) -> None:
    init = run_as(name, *RECEIVE)
    init.expect("got is ready\n")
    for number in (34, 40, 64):
        init.signal(number)
        init.expect(f"got {number} ")


@EACH
@pytest.mark.parametrize("field", ["SigBlk", "SigIgn"])
def test_under_each_name_the_payload_inherits_mask_and_ignored_signals(run_as: RunAs, name: str, field: str) -> None:
    word = {"SigBlk": "block", "SigIgn": "ignore"}[field]
    inherited = {signal.SIGHUP, signal.SIGUSR2, 40}
    init = run_as(name, *SLEEP, prepare=[f"{word}={int(number)}" for number in inherited])
    assert procfs.signals(init.payload, field) == inherited


@EACH
def test_under_each_name_init_keeps_no_directory_and_no_descriptor(run_as: RunAs, name: str) -> None:
    init = run_as(name, *shell("echo ready; read line"), stdin=subprocess.PIPE, prepare=["open=7"])
    init.expect("ready")
    init.idle()
    assert procfs.directory(init.pid) == "/"
    assert sorted(procfs.descriptors(init.pid)) == [0, 1, 2]


@EACH
def test_under_each_name_a_variable_that_held_inits_pid_holds_the_payloads(run_as: RunAs, name: str) -> None:
    done = run_as(
        name, *shell("echo $LISTEN_PID $$"), prepare=["env=LISTEN_PID=@PID@", "env=PATH=/bin:/usr/bin"]
    ).wait()
    variable, pid = done.stdout.split()
    assert variable == pid


# --- tini ------------------------------------------------------------------------------------------


@EACH
def test_under_each_name_options_behind_the_program_are_the_payloads(run_as: RunAs, name: str) -> None:
    assert run_as(name, "echo", "-g", "-h", "x").wait() == (0, "-g -h x\n", "")
    assert run_as(name, "--", "echo", "-l").wait() == (0, "-l\n", "")
    assert run_as(name, *shell("exit 3")).wait().code == 3


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["echo", "--", "a", "--", "b"], "a -- b\n"),
        (["echo", "a", "--", "b"], "a -- b\n"),
        (["--", "echo", "--", "a"], "-- a\n"),
        (["-g", "--", "echo", "--", "a"], "-- a\n"),
        (["-g", "echo", "--", "-g"], "-g\n"),
    ],
)
def test_tini_takes_dashes_behind_the_program_for_its_own(run_as: RunAs, words: list[str], printed: str) -> None:
    """Its usage is `tini PROGRAM -- ARGS`, which Dockerfiles follow."""
    assert run_as("tini", *words).wait() == (0, printed, "")


@pytest.mark.parametrize("word", ["TERM", "SIGTERM", "15", "RTMIN+3"])
def test_tini_p_takes_a_signal_in_every_spelling(run_as: RunAs, word: str) -> None:
    assert run_as("tini", "-p", word, "true").wait().code == 0


def test_tini_p_holds_for_the_payload(run_as: RunAs) -> None:
    init = run_as("tini", "-p", "USR2", "--", *RECEIVE, place="subreaper")
    init.expect("got is ready\n")
    below = init.payload
    kill(init.pid)
    init.expect("got 12 ")
    kill(below)


@pytest.mark.parametrize("words", [["tini", "-s"], ["catatonit"]])
def test_under_tinis_and_catatonits_name_a_refused_subreaper_ends_nothing(run_as: RunAs, words: list[str]) -> None:
    refused = ["strace", "-o", "/dev/null", "-e", "inject=prctl:error=EINVAL"]
    name, *options = words
    done = run_as(name, *options, *shell("exit 3"), place=refused).wait()
    assert done.code == 3
    assert "PR_SET_CHILD_SUBREAPER" in done.stderr


@pytest.mark.parametrize(
    "words",
    [["tini", "-e", "+3"], ["tini", "-e", ""], ["dumb-init", "-r", "15:3x"], ["dumb-init", "-r", " 15:+3"]],
)
def test_under_tinis_and_dumb_inits_name_a_number_is_made_of_digits_alone(run_as: RunAs, words: list[str]) -> None:
    name, *options = words
    assert run_as(name, *options, "true").wait().code == 1


@pytest.mark.parametrize(
    "words", [["tini", "-hz"], ["dumb-init", "-h", "--yolo"], ["dumb-init", "-V", "--yolo"], ["catatonit", "-Vx"]]
)
def test_under_each_name_a_bad_option_behind_help_or_version_is_refused(run_as: RunAs, words: list[str]) -> None:
    name, *options = words
    done = run_as(name, *options).wait()
    assert (done.code, done.stdout) == (1, "")


@pytest.mark.parametrize(("path", "code"), [("/etc/passwd/x", 127), ("/proc/self/fd/0/x", 127), ("/dev/null", 126)])
def test_under_tinis_name_every_failed_exec_is_126_or_127(run_as: RunAs, path: str, code: int) -> None:
    assert run_as("tini", path).wait().code == code


@pytest.mark.parametrize("number", [signal.SIGTTIN, signal.SIGTTOU])
def test_tini_forwards_ttin_and_ttou(run_as: RunAs, number: int) -> None:
    init = run_as("tini", *RECEIVE)
    init.expect("got is ready\n")
    init.signal(number)
    init.expect(f"got {int(number)} ")


# --- dumb-init -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["HUP:QUIT", "SIGHUP:3", "1:SIGQUIT", "RTMIN+1:QUIT"])
def test_dumb_init_takes_names_in_rewrites(run_as: RunAs, rule: str) -> None:
    init = run_as("dumb-init", "-r", rule, *RECEIVE)
    init.expect("got is ready\n")
    init.signal(signal.SIGRTMIN + 1 if rule.startswith("RT") else signal.SIGHUP)
    init.expect("got 3 ")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGCONT])
def test_dumb_init_drops_neither_hup_nor_cont_on_a_terminal(
    terminal: OpenTerminal, named: Callable[[str], str], number: int
) -> None:
    one = terminal(named("dumb-init"), *RECEIVE)
    one.expect("got is ready")
    os.kill(one.pid, number)
    one.expect(f"got {int(number)} ")


def test_dumb_init_sends_term_to_the_processes_left_whatever_is_rewritten(run_as: RunAs) -> None:
    script = '"$1" left & read line'
    init = run_as("dumb-init", "-r", "15:0", *shell(script, *RECEIVE), stdin=subprocess.PIPE, place="subreaper")
    init.expect("left is ready\n")
    (left,) = procfs.children(init.payload)
    init.end_input()
    init.expect("left 15 ")
    assert init.wait().code == 1
    # dumb-init does not wait for it.
    kill(left)


@pytest.mark.parametrize("options", [[], ["-c"], ["-r", "20:1"]])
def test_dumb_init_suspends_itself_only_if_it_could_be_resumed(run_as: RunAs, options: list[str]) -> None:
    """In an orphaned process group, or as the session's leader, no shell is above that could."""
    init = run_as("dumb-init", *options, "--", *RECEIVE, place="subreaper")
    init.expect("got is ready\n")
    init.signal(signal.SIGTSTP)
    init.idle()
    assert procfs.state(init.pid) == "S"


# --- catatonit -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_catatonit_forwards_job_control_signals(run_as: RunAs, number: int) -> None:
    init = run_as("catatonit", *RECEIVE)
    init.expect("got is ready\n")
    init.signal(number)
    init.expect(f"got {int(number)} ")


def test_catatonit_blocks_nothing_for_its_payload(run_as: RunAs) -> None:
    init = run_as("catatonit", *SLEEP)
    assert procfs.signals(init.payload, "SigBlk") == frozenset()


def test_catatonit_pauses_only_without_a_program(run_as: RunAs) -> None:
    done = run_as("catatonit", "-P", "true").wait()
    assert done.code == 1
    assert done.stderr == "pyinit: -P does not take a program (got: true)\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_catatonit_p_ends_with_0_and_adopts_orphans(
    start: Start, named: Callable[[str], str], place: str, number: int
) -> None:
    """And adopts orphans: here of a child that a shell left to it."""
    script = 'exec 3<&0; (read line <&3; sleep 1000 & echo orphan) & exec "$@"'
    init = start(*shell(script, named("catatonit"), "-P"), program=(), place=place, stdin=subprocess.PIPE)
    until(lambda: procfs.command(init.pid)[-1:] == ["-P"] and init.idle(), "a pause")
    assert init.process.stdin
    init.process.stdin.write(b"\n")
    init.process.stdin.flush()
    init.expect("orphan\n")
    orphans = until(
        lambda: [pid for pid in procfs.children(init.pid) if procfs.command(pid) == SLEEP], "an adopted orphan"
    )
    kill(orphans[0])
    until(lambda: not procfs.children(init.pid), "the orphan reaped")
    init.signal(number)
    assert init.wait() == (0, "orphan\n", "")
