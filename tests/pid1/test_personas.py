"""Under a peer's name pyinit takes that peer's options, variables and exit codes (docs/migration.md)."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import ENVIRONMENT, payload, shell
from tests.support.parents import child_of_a_parent
from tests.support.payload_pair import got_by, pair
from tests.support.polling import until
from tests.support.survivors import Leaving
from tests.support.tty import SUSPEND
from tests.support.types import OpenTerminal, RunAs, Start
from tools.namespace import NAMESPACE

TINI = ["tini", "tini-static", "docker-init"]
DUMB_INIT = ["dumb-init"]
CATATONIT = ["catatonit", "podman-init"]
NAMES = [*TINI, *DUMB_INIT, *CATATONIT]
# It takes every signal and prints a line for each.
RECEIVE = payload("receive")


ENDS_WITH_3 = shell("trap 'exit 3' TERM; sleep 600 & echo ready; while :; do wait; done")


@pytest.mark.parametrize(
    ("name", "code"),
    [*((name, 127) for name in TINI), *((name, 2) for name in DUMB_INIT), *((name, 1) for name in CATATONIT)],
)
def test_a_missing_program_has_the_peers_exit_code(run_as: RunAs, name: str, code: int) -> None:
    done = run_as(name, "no-such-program").wait()
    assert (done.code, done.stdout) == (code, "")
    assert re.fullmatch(r"pyinit: no-such-program: not found.*\n", done.stderr)


@pytest.mark.parametrize(
    ("name", "code"),
    [*((name, 126) for name in TINI), *((name, 2) for name in DUMB_INIT), *((name, 1) for name in CATATONIT)],
)
def test_a_program_that_cannot_be_executed_has_the_peers_exit_code(run_as: RunAs, name: str, code: int) -> None:
    done = run_as(name, "/etc").wait()
    assert done.code == code
    assert "directory" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_bad_usage_under_a_peers_name_is_one_line_and_1(run_as: RunAs, name: str) -> None:
    """tests/unit/test_refused_words.py has more of it."""
    done = run_as(name, "--no-such").wait()
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", NAMES)
def test_under_a_peers_name_the_payloads_end_is_inits(run_as: RunAs, name: str) -> None:
    assert run_as(name, *shell("exit 7")).wait().code == 7
    assert run_as(name, *shell("kill -USR1 $$")).wait().code == 128 + signal.SIGUSR1


@pytest.mark.parametrize("name", NAMES)
def test_help_under_a_peers_name_lists_the_peers_options(run_as: RunAs, name: str) -> None:
    done = run_as(name, "-h").wait()
    assert (done.code, done.stderr) == (0, "")
    persona = {**dict.fromkeys(TINI, "tini"), **dict.fromkeys(CATATONIT, "catatonit")}.get(name, name)
    assert f"{persona}'s options" in done.stdout


def test_tini_prints_its_version_only_if_asked_for_that_alone(run_as: RunAs) -> None:
    assert run_as("tini", "--version", "true").wait().code == 1


def test_tini_e_turns_an_exit_code_into_0(run_as: RunAs) -> None:
    assert run_as("tini", "-e", "143", "-e", "3", *shell("exit 3")).wait().code == 0
    assert run_as("tini", "-e", "143", *shell("exit 3")).wait().code == 3
    assert run_as("tini", "-e", "256", "true").wait().code == 1


def test_tini_e_holds_for_killed_payloads_and_missing_programs(run_as: RunAs) -> None:
    assert run_as("tini", "-e", "143", *shell("kill -TERM $$")).wait().code == 0
    assert run_as("tini", "-e", "127", "no-such-program").wait().code == 0


@pytest.mark.parametrize("words", [["-vge3"], ["-ge", "3"], ["-pSIGTERM", "-e3"], ["-we3", "--"]])
def test_tini_options_can_be_written_together(run_as: RunAs, words: list[str]) -> None:
    assert run_as("tini", *words, *shell("exit 3")).wait().code == 0


@pytest.mark.parametrize("how", ["option", "variable", "neither"])
def test_tini_signals_the_group_only_if_asked(run_as: RunAs, how: str) -> None:
    words = ["-g"] if how == "option" else []
    added = {"TINI_KILL_PROCESS_GROUP": "1"} if how == "variable" else {}
    init, child = pair(partial(run_as, "tini", environment={**ENVIRONMENT, **added}), *words)
    init.signal(signal.SIGUSR2)
    assert got_by(init, child) == ([12], [] if how == "neither" else [12])


@pytest.mark.parametrize(
    ("verbosity", "words", "said"),
    [
        ("0", [], False),
        ("1", [], False),
        ("2", [], True),
        ("3", [], True),
        ("2x", [], True),
        ("", [], False),
        ("loud", [], False),
        ("-1", [], False),
        ("9" * 5000, [], True),
        ("1", ["-vv"], False),
    ],
)
def test_the_variable_tini_verbosity_overrides_the_option(
    run_as: RunAs, verbosity: str, words: list[str], said: bool
) -> None:
    environment = {**ENVIRONMENT, "TINI_VERBOSITY": verbosity}
    done = run_as("tini", *words, "true", environment=environment).wait()
    assert (done.code, done.stdout, bool(done.stderr)) == (0, "", said)


@pytest.mark.parametrize(("verbosity", "warned"), [("0", False), ("", False), ("1", True), ("2", True)])
def test_tini_verbosity_0_silences_warnings(run_as: RunAs, verbosity: str, warned: bool) -> None:
    """Its help: "TINI_VERBOSITY: Set the verbosity level (default: 1)"; 1 is that of its warnings."""
    environment = {**ENVIRONMENT, "TINI_VERBOSITY": verbosity}
    words = ["-w", "--", *shell("(sh -c 'exit 4' &); echo started; read line; exit 3")]
    init = run_as("tini", *words, stdin=subprocess.PIPE, environment=environment)
    init.expect("started")
    until(lambda: procfs.children(init.pid) == [init.payload], "a reaped orphan")
    init.idle()
    init.end_input()
    done = init.wait()
    assert (done.code, "reaped" in done.stderr) == (3, warned)


def test_tini_verbosity_0_does_not_silence_errors(run_as: RunAs) -> None:
    done = run_as("tini", "no-such-program", environment={**ENVIRONMENT, "TINI_VERBOSITY": "0"}).wait()
    assert done.code == 127
    assert "pyinit: no-such-program: not found" in done.stderr


@pytest.mark.parametrize("words", [[], ["-s"]], ids=["variable", "option"])
def test_tini_can_be_asked_to_be_a_subreaper(run_as: RunAs, words: list[str]) -> None:
    environment = ENVIRONMENT if words else {**ENVIRONMENT, "TINI_SUBREAPER": ""}
    variable = {**environment, "PYINIT_OPTIONS": "--no-subreaper"}
    init = run_as(
        "tini",
        *words,
        *shell("(sleep 600 & echo orphan $!); read line"),
        place="subreaper",
        stdin=subprocess.PIPE,
        environment=variable,
    )
    init.expect("orphan ")
    orphan = int(init.expect("\n"))
    until(lambda: procfs.parent(orphan) == init.pid, "an orphan that was adopted")


@pytest.mark.parametrize("name", NAMES)
def test_under_a_peers_name_a_failed_fork_gives_1(run_as: RunAs, name: str) -> None:
    refused = ["strace", "-o", "/dev/null", "-e", "inject=fork,vfork,clone,clone3:error=EAGAIN"]
    done = run_as(name, "true", place=refused).wait()
    assert done.code == 1
    assert "fork" in done.stderr


def test_tini_w_logs_each_orphan_that_is_reaped(run_as: RunAs) -> None:
    init = run_as("tini", "-w", *shell("(sh -c 'exit 4' &); read line"), stdin=subprocess.PIPE)
    init.expect_error("reaped")
    init.expect_error("exit code 4")


def test_tini_p_sends_a_signal_when_its_parent_dies(start: Start, run_as: RunAs, named: Callable[[str], str]) -> None:
    parent, init, below = child_of_a_parent(start, [named("tini")], "SIGTERM", "subreaper")
    assert parent.wait().code == 0
    parent.expect("got 15 ")
    kill(below)
    until(lambda: not procfs.alive(init), "init's end")
    assert run_as("tini", "-p", "NONSENSE", "true").wait().code == 1


@pytest.mark.parametrize("how", ["default", "option", "variable", "yes"])
def test_dumb_init_has_a_session_unless_asked_not_to(run_as: RunAs, how: str) -> None:
    words = ["-c"] if how == "option" else []
    added = {"variable": {"DUMB_INIT_SETSID": "0"}, "yes": {"DUMB_INIT_SETSID": "1"}}.get(how, {})
    environment = {**ENVIRONMENT, **added}
    init = run_as("dumb-init", *words, *shell("echo ready; read line"), stdin=subprocess.PIPE, environment=environment)
    init.expect("ready")
    assert (os.getsid(init.payload) == init.payload) == (how in ("default", "yes"))
    assert (os.getpgid(init.payload) == os.getpgid(init.pid)) == (how in ("option", "variable"))


def test_dumb_init_signals_the_whole_session_group(run_as: RunAs) -> None:
    init, child = pair(partial(run_as, "dumb-init"))
    init.signal(signal.SIGUSR2)
    assert got_by(init, child) == ([12], [12])


@pytest.mark.parametrize("how", ["option", "variable"])
def test_dumb_init_signals_the_payload_alone_if_asked(run_as: RunAs, how: str) -> None:
    words = ["--single-child"] if how == "option" else []
    added = {"DUMB_INIT_SETSID": "0"} if how == "variable" else {}
    init, child = pair(partial(run_as, "dumb-init", environment={**ENVIRONMENT, **added}), *words)
    init.signal(signal.SIGUSR2)
    assert got_by(init, child) == ([12], [])


def test_dumb_init_as_pid_1_sends_term_to_the_processes_left_once(
    start: Start, named: Callable[[str], str], tmp_path: Path
) -> None:
    """Everybody, as pyinit does, and not its session as well."""
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-o", str(trace), "-e", "trace=kill", *NAMESPACE]
    leaving = Leaving(start, [], ["telling"], program=[*strace, named("dumb-init")], place="subreaper").end()
    leaving.says("told 18", 1)
    leaving.says("told 15", 1)
    os.kill(leaving.left[0], signal.SIGUSR2)
    leaving.wait()
    assert re.findall(r"kill\((-\d+), SIGTERM\)", trace.read_text()) == []


@pytest.mark.parametrize(
    ("options", "number", "forwarded"),
    [
        (["-r", "20:1"], signal.SIGTSTP, "1 0 "),
        (["-r", "21:15"], signal.SIGTTIN, "15 0 "),
        (["-r", "22:2"], signal.SIGTTOU, "2 0 "),
        (["-r", "20:20"], signal.SIGTSTP, "20 0 "),
        (["-c"], signal.SIGTTIN, "21 0 "),
        (["-c", "-r", "20:1"], signal.SIGTSTP, "1 0 "),
        (["-r", "20:0"], signal.SIGTSTP, ""),
        (["-c", "-r", "22:0"], signal.SIGTTOU, ""),
    ],
)
def test_dumb_init_suspends_itself_whatever_is_forwarded(
    terminal: OpenTerminal, named: Callable[[str], str], options: list[str], number: int, forwarded: str
) -> None:
    """README: "dumb-init will always suspend itself after receiving the signal, even if you rewrite it"."""
    bash = terminal()
    bash.prompt(0)
    bash.type(shlex.join([named("dumb-init"), *options, *RECEIVE]))
    bash.expect("got is ready")
    (init,) = procfs.children(bash.pid)
    (child,) = procfs.children(init)
    os.kill(init, number)
    bash.stopped()
    assert procfs.state(init) == "T"
    os.kill(child, 40)
    bash.expect("got 40 ")
    assert re.findall(r"got (\d+ 0 )", bash.screen) == [*([forwarded] if forwarded else []), "40 0 "]
    bash.type("fg")
    bash.expect("got 18 ")
    until(lambda: procfs.state(init) == "S", "init going on")


def test_dumb_init_suspends_itself_when_its_payload_does_not(
    terminal: OpenTerminal, named: Callable[[str], str]
) -> None:
    """In the same group, ^Z is the terminal's signal for both; a payload that handles it goes on."""
    bash = terminal()
    bash.prompt(0)
    bash.type(shlex.join([named("dumb-init"), "-c", *RECEIVE]))
    bash.expect("got is ready")
    (init,) = procfs.children(bash.pid)
    bash.press(SUSPEND)
    bash.stopped()
    assert procfs.state(init) == "T"
    until(lambda: "got 20 " in bash.screen, "the payload's line, which may come after the prompt")
    bash.type("fg")
    bash.expect("got 18 ")
    until(lambda: procfs.state(init) == "S", "init going on")


def test_dumb_init_rewrites_numbers(run_as: RunAs) -> None:
    init = run_as("dumb-init", "-r", "10:15", *ENDS_WITH_3)
    init.expect("ready")
    init.signal(signal.SIGUSR1)
    assert init.wait().code == 3


@pytest.mark.parametrize(
    "words",
    [["-r10:15"], ["--rewrite=10:15"], ["--rew", "10:15"], ["-vr", "10:15"], ["-r", "10:2", "-r", "10:15"]],
)
def test_dumb_init_rewrites_however_the_option_is_written(run_as: RunAs, words: list[str]) -> None:
    """The last rule for a signal holds, and a long name may be cut short, as by getopt_long(3)."""
    init = run_as("dumb-init", *words, *ENDS_WITH_3)
    init.expect("ready")
    init.signal(signal.SIGUSR1)
    assert init.wait().code == 3


@pytest.mark.parametrize(("name", "word"), [("dumb-init", "--vers"), ("dumb-init", "--hel"), ("catatonit", "--v")])
def test_dumb_init_and_catatonit_take_long_options_cut_short(run_as: RunAs, name: str, word: str) -> None:
    done = run_as(name, word).wait()
    assert (done.code, done.stderr) == (0, "")
    assert "pyinit" in done.stdout


@pytest.mark.parametrize("added", [{}, {"DUMB_INIT_SETSID": "0"}])
def test_one_dumb_init_can_run_another(run_as: RunAs, named: Callable[[str], str], added: dict[str, str]) -> None:
    words = [named("dumb-init"), *shell("echo oh, hi; exit 4")]
    assert run_as("dumb-init", *words, environment={**ENVIRONMENT, **added}).wait() == (4, "oh, hi\n", "")


def test_dumb_init_can_be_a_scripts_interpreter(start: Start, named: Callable[[str], str], tmp_path: Path) -> None:
    """README: `#!/usr/bin/dumb-init /bin/sh`; TERM then reaches what the script has started, too."""
    script = tmp_path / "script"
    script.write_text(f'#!{named("dumb-init")} /bin/sh\n"$@" &\n"$@"\n')
    script.chmod(0o755)
    init = start(*RECEIVE, program=[str(script)])
    init.expect("got is ready")
    init.expect("got is ready")
    init.signal(signal.SIGUSR2)
    init.expect("got 12 ")
    init.expect("got 12 ")


def test_dumb_init_refuses_a_bad_rewrite_in_one_line(run_as: RunAs) -> None:
    done = run_as("dumb-init", "-r", "32:15", "true").wait()
    assert (done.code, done.stderr.count("\n")) == (1, 1)
    assert "32:15" in done.stderr


@pytest.mark.parametrize(
    ("words", "added", "said"),
    [
        (["-v"], {}, True),
        ([], {"DUMB_INIT_DEBUG": "1"}, True),
        ([], {"DUMB_INIT_DEBUG": "0"}, False),
        ([], {"DUMB_INIT_DEBUG": ""}, False),
    ],
)
def test_dumb_init_v_or_its_variable_makes_init_log_signals(
    run_as: RunAs, words: list[str], added: dict[str, str], said: bool
) -> None:
    """It then says all that happens, each signal too."""
    init = run_as("dumb-init", *words, *ENDS_WITH_3, environment={**ENVIRONMENT, **added})
    init.expect("ready")
    init.signal(signal.SIGTERM)
    done = init.wait()
    assert (done.code, "TERM is forwarded" in done.stderr, bool(done.stderr)) == (3, said, said)


def test_catatonit_g_signals_the_group(run_as: RunAs) -> None:
    init, child = pair(partial(run_as, "catatonit"), "-g")
    init.signal(signal.SIGUSR2)
    assert got_by(init, child) == ([12], [12])


def test_catatonit_signals_the_payload_alone_by_default(run_as: RunAs) -> None:
    init, child = pair(partial(run_as, "catatonit"))
    init.signal(signal.SIGUSR2)
    assert got_by(init, child) == ([12], [])


def test_the_variable_catatonit_log_is_refused(run_as: RunAs) -> None:
    done = run_as("catatonit", "true", environment={**ENVIRONMENT, "CATATONIT_LOG": "x"}).wait()
    assert done.code == 1
    assert "CATATONIT_LOG" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_pyinit_options_holds_pyinits_own_options_under_every_name(run_as: RunAs, name: str) -> None:
    environment = {**ENVIRONMENT, "PYINIT_OPTIONS": "-e 9:8"}
    assert run_as(name, *shell("exit 9"), environment=environment).wait().code == 8


@pytest.mark.parametrize(
    ("name", "words", "variable", "same_group", "session"),
    [
        ("dumb-init", [], "-c", True, False),
        ("dumb-init", ["-c"], "-S", True, False),
        ("dumb-init", [], "-g", False, True),
        ("tini", [], "-c", True, False),
        ("tini", ["-g"], "-c", False, False),
        ("tini", [], "-S", False, True),
        ("catatonit", ["-g"], "-S", False, True),
    ],
)
def test_under_a_peers_name_the_command_line_wins_over_pyinit_options(
    run_as: RunAs, name: str, words: list[str], variable: str, same_group: bool, session: bool
) -> None:
    environment = {**ENVIRONMENT, "PYINIT_OPTIONS": variable}
    init = run_as(name, *words, *shell("echo ready; read line"), stdin=subprocess.PIPE, environment=environment)
    init.expect("ready")
    assert (os.getpgid(init.payload) == os.getpgid(init.pid)) == same_group
    assert (os.getsid(init.payload) == init.payload) == session


def test_a_peers_version_is_one_line_however_verbose_init_is(run_as: RunAs) -> None:
    for name, variable in (
        ("tini", "TINI_VERBOSITY"),
        ("dumb-init", "DUMB_INIT_DEBUG"),
        ("catatonit", "CATATONIT_DEBUG"),
    ):
        done = run_as(name, "--version", environment={**ENVIRONMENT, variable: "1", "PYINIT_OPTIONS": "-vv"}).wait()
        assert (done.code, done.stdout.count("\n"), done.stderr) == (0, 1, "")


@pytest.mark.parametrize("name", NAMES)
def test_help_under_a_peers_name_names_only_the_peers_variables(run_as: RunAs, name: str) -> None:
    text = run_as(name, "-h").wait().stdout
    family = "TINI_" if name in TINI else "DUMB_INIT_" if name in DUMB_INIT else "CATATONIT_"
    assert set(re.findall(r"(?:TINI|DUMB_INIT|CATATONIT|PYINIT)_", text)) == {family, "PYINIT_"}


@pytest.mark.parametrize("kind", ["frozen"], indirect=True)
def test_every_kind_of_link_and_a_copy_make_a_peers_name(program: list[str], start: Start, tmp_path: Path) -> None:
    """From source a script's name is no link's."""
    # A hard link cannot cross file systems, and docker's mount is a file of its own.
    copy = tmp_path / "pyinit"
    shutil.copy(program[0], copy)
    (tmp_path / "dumb-init").hardlink_to(copy)
    (tmp_path / "catatonit").symlink_to(copy)
    (tmp_path / "bin").mkdir()
    shutil.copy(copy, tmp_path / "bin" / "docker-init")
    codes = {"dumb-init": 2, "catatonit": 1, "bin/docker-init": 127, "pyinit": 127}
    for name, code in codes.items():
        assert start("no-such-program", program=[str(tmp_path / name)]).wait().code == code


@pytest.mark.parametrize("kind", ["frozen"], indirect=True)
@pytest.mark.parametrize(("name", "code"), [("/dev/init", 1), ("/sbin/init", 125), ("/sbin/docker-init", 1)])
def test_dockers_old_path_of_its_init_means_tini(program: list[str], start: Start, name: str, code: int) -> None:
    """From source Python's own name would be another."""
    words = ["bash", "-c", 'exec -a "$1" "$0" -z', program[0], name]
    assert start(place=[*NAMESPACE, *words], program=()).wait().code == code


@pytest.mark.parametrize("name", NAMES)
def test_under_no_peers_name_init_warns_that_it_is_not_pid_1(run_as: RunAs, name: str) -> None:
    done = run_as(name, "true", place="subreaper").wait()
    assert done == (0, "", "")
