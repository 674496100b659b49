"""The terminal of init's session and a payload of another user."""

from __future__ import annotations

import errno
import shlex

import pytest

from tests.support import procfs
from tests.support.commands import LEADER, payload, shell
from tests.support.polling import until
from tests.support.tty import INTERRUPT, SUSPEND
from tests.support.types import OpenTerminal

AROUND = {"pid1": LEADER, "subreaper": ()}
USER = ["-u", "1000:1000"]
IDS = 'set -- $(cat /proc/$$/stat /proc/$PPID/stat); echo "sessions $6 ${58}"; '


def same_sessions(screen: str) -> bool:
    """Whether payload and init were in the same session, after IDS."""
    own, inits = screen.partition("sessions ")[2].split()[:2]
    return own == inits


@pytest.mark.parametrize(
    ("options", "same"),
    [(USER, False), (["-g", *USER], False), (["-c", *USER], True), ([], True), (["-S"], False)],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
def test_the_payload_of_another_user_has_a_session_of_its_own(
    terminal: OpenTerminal, program: list[str], place: str, options: list[str], same: bool
) -> None:
    one = terminal(*AROUND[place], *program, *options, "--", *shell(IDS + "echo done"))
    one.expect("done")
    assert same_sessions(one.screen) == same
    assert one.wait() == 0


def test_the_payload_of_another_user_cannot_send_init_cont(
    terminal: OpenTerminal, program: list[str], place: str
) -> None:
    """kill(2): within a session everybody may."""
    one = terminal(*AROUND[place], *program, *USER, "--", *shell("kill -CONT $PPID; echo $?"))
    one.expect("1\r\n")
    assert "not permitted" in one.screen
    assert one.wait() == 0


def test_a_shell_as_the_payload_of_another_user_has_job_control(
    terminal: OpenTerminal, program: list[str], place: str
) -> None:
    one = terminal(*AROUND[place], *program, *USER, "--", "env", "PS1=$ ", "bash", "--norc", "--noprofile", "-i")
    one.type("sleep 1000")
    one.runs("sleep", "1000")
    one.press(SUSPEND)
    one.expect("Stopped")
    one.type("jobs")
    one.expect("Stopped")
    one.type("fg")
    child = one.runs("sleep", "1000")
    until(lambda: one.foreground == procfs.group(child), "the job in the foreground")
    one.press(INTERRUPT)
    one.type("echo code $?")
    one.expect("code 130")
    one.type("exit 7")
    assert one.wait() == 7
    assert "no job control" not in one.screen


def test_a_payload_of_another_user_with_its_own_session_pushes_nothing_into_roots_shell(
    terminal: OpenTerminal, program: list[str]
) -> None:
    """By TIOCSTI, where the kernel allows that (dev.tty.legacy_tiocsti): CVE-2016-2779, CVE-2005-4890."""
    shell_of_root = terminal()
    shell_of_root.prompt(0)
    shell_of_root.type(shlex.join([*program, "-S", *USER, "--", *payload("push", "echo pu''shed")]))
    assert shell_of_root.prompt(errno.EPERM)
    shell_of_root.type("echo e''nd")
    shell_of_root.expect("end\r\n")
    assert "pushed" not in shell_of_root.screen
