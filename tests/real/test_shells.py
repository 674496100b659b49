"""Shells, and what is used in a terminal: start scripts that keep a log, and sessions that are open at the stop."""

from __future__ import annotations

import signal

import pytest

from tests.real.debian import PATIENCE, Container
from tests.real.ways import TARGETS, TERMINATED, WITHIN, options
from tests.support.commands import ENVIRONMENT, shell
from tests.support.tty import BASH
from tests.support.types import OpenTerminal

START_SCRIPT = """\
exec > >(tee -a /srv/log) 2>&1
echo "FATAL: no configuration"
exit 1
"""
HISTORY = {**ENVIRONMENT, "HISTFILE": "/srv/history"}


@TARGETS
def test_the_last_line_of_a_start_script_reaches_the_log_that_tee_keeps(
    container: Container, target: list[str]
) -> None:
    """Who is first is a matter of luck: so several times."""
    container.add("/srv/start", START_SCRIPT)
    for count in range(1, 11):
        init = container.start(*options(target), "bash", "/srv/start")
        code, output, _ = init.wait(PATIENCE)
        assert code == 1
        assert output == "FATAL: no configuration\n"
        assert container.text("/srv/log").count("FATAL") == count


@pytest.mark.parametrize("program", [["bash", "--norc", "-i"], ["dash", "-i"], ["busybox", "sh", "-i"]], ids=" ".join)
@TARGETS
def test_an_interactive_shell_that_is_open_does_not_hold_up_the_stop(
    container: Container, terminal: OpenTerminal, target: list[str], program: list[str]
) -> None:
    """Such shells ignore TERM; HUP ends them."""
    container.start(*options(target), "sleep", "1000")
    session = terminal(*container.entering(), *program)
    session.type("echo $((6 * 7))")
    session.expect("42", PATIENCE)
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert code == TERMINATED
    assert seconds < WITHIN
    session.wait(PATIENCE)


def test_bash_that_is_open_saves_its_history_at_the_stop(container: Container, terminal: OpenTerminal) -> None:
    container.start(*options([]), "sleep", "1000")
    session = terminal(*container.entering(), *BASH, environment=HISTORY)
    session.type("echo $((6 * 7))")
    session.expect("42", PATIENCE)
    container.stop(signal.SIGTERM)
    assert container.ended().seconds < WITHIN
    assert container.text("/srv/history") == "echo $((6 * 7))\n"
    session.wait(PATIENCE)


@TARGETS
def test_sessions_of_tmux_and_agents_of_ssh_do_not_hold_up_the_stop(container: Container, target: list[str]) -> None:
    script = "ssh-agent -s && tmux new-session -d sleep 1000 && tmux list-sessions && exec sleep 1000"
    container.start(*options(target), *shell(script)).expect("1 windows", PATIENCE)
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert code == TERMINATED
    assert seconds < WITHIN
