"""The terminal while a container is stopping: its keys are init's when the payload has ended."""

from __future__ import annotations

import os
import shlex
import signal

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import compiled, payload, shell
from tests.support.polling import until
from tests.support.procfs import title
from tests.support.survivors import CODE, LONG
from tests.support.tty import INTERRUPT, SUSPEND, Terminal
from tests.support.types import OpenTerminal
from tools.namespace import NAMESPACE


def left_in(terminal: Terminal, init: int) -> list[int]:
    """Wait until the payload leaves somebody, end it, and wait until the init has noticed; who is left."""
    terminal.expect("ready\r\n")
    (leave,) = procfs.children(init)
    left = procfs.children(leave)
    os.kill(leave, signal.SIGUSR1)
    until(lambda: title(init).startswith(("pyinit: waiting", "pyinit: stopping")), "the payload's end noticed")
    return left


def test_interrupt_goes_to_those_who_are_left_and_twice_ends_them(terminal: OpenTerminal, program: list[str]) -> None:
    one = terminal(*program, "-t", LONG, "--", *payload("leave", "telling"))
    left_in(one, one.pid)
    one.expect("told 18\r\n")
    assert one.foreground == one.pid
    one.press(INTERRUPT)
    one.expect("told 2\r\n")
    one.press(INTERRUPT)
    assert one.wait() == CODE


def test_the_processes_left_on_a_terminal_are_not_in_the_foreground(terminal: OpenTerminal, program: list[str]) -> None:
    one = terminal(*program, "-W", "--", *payload("leave", "plain"))
    (left,) = left_in(one, one.pid)
    assert one.foreground == one.pid != procfs.group(left)
    # CONT is no fg: it gives the terminal to nobody.
    os.kill(one.pid, signal.SIGCONT)
    until(lambda: not procfs.signals(one.pid, "ShdPnd"), "CONT taken")
    kill(left)
    assert one.wait() == CODE


def test_suspend_and_fg_stop_and_resume_an_init_that_waits(terminal: OpenTerminal, program: list[str]) -> None:
    """They and init stop, and go on."""
    bash = terminal()
    bash.prompt(0)
    bash.type(shlex.join([*program, "-W", "--", *payload("leave", "plain")]))
    bash.expect("ready\r\n")
    (init,) = procfs.children(bash.pid)
    (leave,) = procfs.children(init)
    (left,) = procfs.children(leave)
    os.kill(leave, signal.SIGUSR1)
    until(lambda: title(init) == "pyinit: waiting, 1 left", "it waits")
    for _ in range(2):
        bash.press(SUSPEND)
        bash.stopped()
        until(lambda: procfs.state(left) == procfs.state(init) == "T", "both stopped")
        bash.type("fg")
        until(lambda: procfs.state(left) == procfs.state(init) == "S", "both going on")
        until(lambda: bash.foreground == procfs.group(init), "init in the foreground")
    kill(left)
    bash.prompt(CODE)
    assert bash.foreground == bash.pid


def test_the_keys_reach_what_is_left_when_the_payload_has_ended(terminal: OpenTerminal, program: list[str]) -> None:
    """Regression: ^C reached nobody under `unshare` on a terminal: init is in a group that has no number in there."""
    script = '"$1" child & exit 0'
    one = terminal(*NAMESPACE, *program, "-W", "--", *shell(script, str(compiled("receive"))))
    one.expect("child is ready")
    (init,) = procfs.children(one.pid)
    until(lambda: title(init).startswith("pyinit: waiting"), "init waiting")
    one.press(INTERRUPT)
    # A shell's background job ignores INT, and is asked by TERM.
    one.expect("child 15 0 1")
    kill(init)
