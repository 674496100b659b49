"""Under a peer's name pyinit takes that peer's options, variables and exit codes (docs/migration.md)."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import processes
from tests.conftest import Start
from tests.harness import ENVIRONMENT, Init, shell, until

TINI = ["tini", "tini-static", "docker-init"]
DUMB_INIT = ["dumb-init"]
CATATONIT = ["catatonit", "podman-init"]
NAMES = [*TINI, *DUMB_INIT, *CATATONIT]
As = Callable[..., Init]


@pytest.fixture
def run_as(start: Start, kind: str, program: list[str], tmp_path: Path) -> As:
    """Return a function that starts pyinit under another name, with the words given."""

    def begin(name: str, *words: str, **how: object) -> Init:
        path = tmp_path / name
        if not path.exists():
            if kind == "frozen":
                path.symlink_to(program[0])
            else:
                path.write_text(f"#!{program[0]}\nfrom pyinit.__main__ import command\ncommand()\n")
                path.chmod(0o755)
        return start(*words, program=[str(path)], **how)

    return begin


def alone_and_in_group(init: Init) -> tuple[int, int]:
    """Return the pids of a payload that is a shell, and of its child, once both are there."""
    init.expect("ready")
    payload = init.payload
    return payload, until(lambda: next(iter(processes.children(payload)), 0), "the payload's child")


PARENT_AND_CHILD = shell("trap 'echo parent; exit 3' TERM; sleep 600 & echo ready; while :; do wait; done")


@pytest.mark.parametrize("name", NAMES)
def test_the_version_is_one_line_that_dockers_parser_takes(run_as: As, name: str) -> None:
    done = run_as(name, "--version").wait()
    assert (done.code, done.stderr) == (0, "")
    assert re.fullmatch(r"tini version \S+ \(pyinit\)( - git\.[0-9a-f]+)?\n", done.stdout)


@pytest.mark.parametrize(
    ("name", "code"),
    [*((name, 127) for name in TINI), *((name, 2) for name in DUMB_INIT), *((name, 1) for name in CATATONIT)],
)
def test_a_missing_program_has_the_peers_exit_code(run_as: As, name: str, code: int) -> None:
    done = run_as(name, "no-such-program").wait()
    assert (done.code, done.stdout) == (code, "")
    assert re.fullmatch(r"pyinit: no-such-program: not found.*\n", done.stderr)


@pytest.mark.parametrize(
    ("name", "code"),
    [*((name, 126) for name in TINI), *((name, 2) for name in DUMB_INIT), *((name, 1) for name in CATATONIT)],
)
def test_a_program_that_cannot_be_executed_has_the_peers_exit_code(run_as: As, name: str, code: int) -> None:
    done = run_as(name, "/etc").wait()
    assert done.code == code
    assert "directory" in done.stderr


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("words", [[], ["-z"], ["--no-such"]], ids=["nothing", "letter", "word"])
def test_bad_usage_is_one_line_and_1(run_as: As, name: str, words: list[str]) -> None:
    done = run_as(name, *words).wait()
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", NAMES)
def test_exit_codes_and_signals_of_the_payload_are_passed_on(run_as: As, name: str) -> None:
    assert run_as(name, *shell("exit 7")).wait().code == 7
    assert run_as(name, *shell("kill -USR1 $$")).wait().code == 128 + signal.SIGUSR1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("words", [["echo", "-l"], ["--", "echo", "-l"]], ids=["bare", "dashes"])
def test_options_of_the_payload_are_its_own_though_tini_eats_them(run_as: As, name: str, words: list[str]) -> None:
    done = run_as(name, *words).wait()
    assert (done.code, done.stdout) == (0, "-l\n")


@pytest.mark.parametrize("name", NAMES)
def test_help_names_the_peers_options(run_as: As, name: str) -> None:
    done = run_as(name, "-h").wait()
    assert (done.code, done.stderr) == (0, "")
    persona = {**dict.fromkeys(TINI, "tini"), **dict.fromkeys(CATATONIT, "catatonit")}.get(name, name)
    assert f"{persona}'s options" in done.stdout


def test_tini_version_is_asked_for_alone(run_as: As) -> None:
    assert run_as("tini", "--version", "true").wait().code == 1


def test_tini_e_makes_a_code_0(run_as: As) -> None:
    assert run_as("tini", "-e", "143", "-e", "3", *shell("exit 3")).wait().code == 0
    assert run_as("tini", "-e", "143", *shell("exit 3")).wait().code == 3
    assert run_as("tini", "-e", "256", "true").wait().code == 1


@pytest.mark.parametrize("how", ["option", "variable", "neither"])
def test_tini_signals_the_group_only_if_asked(run_as: As, how: str) -> None:
    words = ["-g"] if how == "option" else []
    added = {"TINI_KILL_PROCESS_GROUP": "1"} if how == "variable" else {}
    init = run_as("tini", *words, *PARENT_AND_CHILD, environment={**ENVIRONMENT, **added})
    _, child = alone_and_in_group(init)
    if how == "neither":
        init.signal(signal.SIGTERM)
        assert init.wait().code == 3
    else:
        init.signal(signal.SIGUSR2)
        # The shell dies of it as well.
        assert init.wait().code == 128 + signal.SIGUSR2
    assert not processes.alive(child)


@pytest.mark.parametrize(("verbosity", "said"), [("0", False), ("1", False), ("2", True), ("3", True)])
def test_tini_verbosity(run_as: As, verbosity: str, said: bool) -> None:
    environment = {**ENVIRONMENT, "TINI_VERBOSITY": verbosity}
    done = run_as("tini", "true", environment=environment).wait()
    assert (done.code, done.stdout, bool(done.stderr)) == (0, "", said)


def test_tini_w_warns_of_each_orphan(run_as: As) -> None:
    init = run_as("tini", "-w", *shell("(sh -c 'exit 4' & echo $! >&2); read line"), stdin=-1)
    init.expect_error("reaped")
    init.expect_error("exit code 4")


def test_tini_p_takes_a_signal(run_as: As) -> None:
    assert run_as("tini", "-p", "SIGTERM", "true").wait().code == 0
    assert run_as("tini", "-p", "NONSENSE", "true").wait().code == 1


@pytest.mark.parametrize("how", ["default", "option", "variable"])
def test_dumb_init_has_a_session_unless_asked_not_to(run_as: As, how: str) -> None:
    words = ["-c"] if how == "option" else []
    added = {"DUMB_INIT_SETSID": "0"} if how == "variable" else {}
    init = run_as("dumb-init", *words, *shell("echo ready; read line"), stdin=-1, environment={**ENVIRONMENT, **added})
    init.expect("ready")
    assert (os.getsid(init.payload) == init.payload) == (how == "default")
    assert (os.getpgid(init.payload) == os.getpgid(init.pid)) == (how != "default")


def test_dumb_init_signals_the_whole_session_group(run_as: As) -> None:
    init = run_as("dumb-init", *PARENT_AND_CHILD)
    _, child = alone_and_in_group(init)
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 128 + signal.SIGUSR2
    assert not processes.alive(child)


@pytest.mark.parametrize("rule", ["10:15", "USR1:TERM"])
def test_dumb_init_rewrites_numbers_and_names(run_as: As, rule: str) -> None:
    init = run_as("dumb-init", "-r", rule, *PARENT_AND_CHILD)
    init.expect("ready")
    init.signal(signal.SIGUSR1)
    assert init.wait().code == 3


@pytest.mark.parametrize("rule", ["0:15", "32:15", "15", "15:32", "15:x"])
def test_dumb_init_refuses_other_numbers(run_as: As, rule: str) -> None:
    done = run_as("dumb-init", "-r", rule, "true").wait()
    assert (done.code, done.stderr.count("\n")) == (1, 1)
    assert rule in done.stderr


@pytest.mark.parametrize("how", ["option", "variable"])
def test_dumb_init_can_be_verbose(run_as: As, how: str) -> None:
    words = ["-v"] if how == "option" else []
    added = {"DUMB_INIT_DEBUG": "1"} if how == "variable" else {}
    done = run_as("dumb-init", *words, "true", environment={**ENVIRONMENT, **added}).wait()
    assert "payload" in done.stderr


def test_catatonit_pauses(run_as: As) -> None:
    init = run_as("catatonit", "-P")
    until(lambda: processes.state(init.pid) == "S", "a waiting init")
    init.signal(signal.SIGTERM)
    assert init.wait().code == 0
    assert run_as("podman-init", "-P", "true").wait().code == 1


def test_catatonit_g_signals_the_group(run_as: As) -> None:
    init = run_as("catatonit", "-g", *PARENT_AND_CHILD)
    _, child = alone_and_in_group(init)
    init.signal(signal.SIGUSR2)
    assert init.wait().code == 128 + signal.SIGUSR2
    assert not processes.alive(child)


def test_catatonit_log_is_reserved(run_as: As) -> None:
    done = run_as("catatonit", "true", environment={**ENVIRONMENT, "CATATONIT_LOG": "x"}).wait()
    assert done.code == 1
    assert "CATATONIT_LOG" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_pyinit_options_are_pyinits_own_under_every_name(run_as: As, name: str) -> None:
    environment = {**ENVIRONMENT, "PYINIT_OPTIONS": "-e 9:8"}
    assert run_as(name, *shell("exit 9"), environment=environment).wait().code == 8


@pytest.mark.parametrize("name", NAMES)
def test_no_name_warns_when_it_is_not_pid_1(run_as: As, name: str) -> None:
    done = run_as(name, "true", place="subreaper").wait()
    assert done == (0, "", "")
