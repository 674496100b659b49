"""examples/seccomp/pyinit.json: init makes the calls that this profile allows, all of them and no others."""

from __future__ import annotations

import errno
import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.long.hostile.refusals import refused
from tests.security.lives import LIVES, Trace, read, traced
from tests.support import procfs
from tests.support.commands import ENVIRONMENT, WITHOUT_KILL, payload, shell
from tests.support.polling import until
from tests.support.service_manager import Manager
from tests.support.syscalls import NUMBERS
from tests.support.tty import INTERRUPT, SUSPEND, Terminal
from tests.support.types import Start
from tests.support.wide import wide
from tools.namespace import NAMESPACE
from tools.tree import ROOT

PROFILE = ROOT / "examples" / "seccomp" / "pyinit.json"
HIGHEST = 2**32 - 1
# The traces are taken once, whatever the number of workers.
pytestmark = pytest.mark.xdist_group("seccomp profile")

FORWARDED = shell("trap 'exit 4' USR1; kill -USR1 $PPID; while :; do sleep 0.05; done")
# The kernel resumes poll(2) by restart_syscall if it was interrupted by STOP and CONT, or by a freezer.
STOPS_INIT = shell(
    "trap '' TERM; kill $PPID; sleep 0.2; kill -STOP $PPID; sleep 0.1; kill -CONT $PPID; while :; do sleep 0.05; done"
)
# Linux before 6.4 has no RWF_NOWAIT for sockets.
ON_A_SOCKET = """
import os, socket, sys
ends = socket.socketpair()
os.dup2(ends[1].fileno(), 2)
os.set_inheritable(ends[0].fileno(), True)
os.execv(sys.argv[1], sys.argv[1:])
"""
OLD_KERNEL = [sys.executable, "-I", "-c", ON_A_SOCKET, *refused(["pwritev2"], errno.ENOSYS).filter]
FOREIGN = "/bin/true"
EM_AARCH64 = 183  # linux/elf-em.h

MORE: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "a forwarded signal": (["--", *FORWARDED], NAMESPACE),
    "a signal for the group": (["-g", "--", *FORWARDED], NAMESPACE),
    "a signal for all": (["-a", "--", *FORWARDED], NAMESPACE),
    "the same group": (["-c", "--", *FORWARDED], NAMESPACE),
    "a daemon": (["--follow", "--", *shell("sleep 0.3 &")], NAMESPACE),
    "a pause": (["-P"], ["timeout", "0.5"]),
    "lines on a socket": (["-vv", "--", "true"], OLD_KERNEL),
    "a stop of init, and a relay": (["-k", "1", "--", *STOPS_INIT], ()),
    "much memory": (["-v", "--", "true", *["x" * 100_000] * 15], ()),
    "a program for another machine": (["./foreign"], ()),
    "leftovers of another user": (
        ["-u", "65534:65534", "-t", "1", "--", *shell("sleep 600 & exit 3")],
        [*NAMESPACE, *WITHOUT_KILL],
    ),
}


def allowed() -> set[str]:
    """The calls that the profile allows."""
    profile = json.loads(PROFILE.read_text())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    assert {rule["action"] for rule in profile["syscalls"]} == {"SCMP_ACT_ALLOW"}
    assert all(rule["comment"] for rule in profile["syscalls"])
    names = [name for rule in profile["syscalls"] for name in rule["names"]]
    assert len(names) == len(set(names))
    return set(names)


def lead(life: str, frozen: Path, folder: Path) -> Trace:
    """Lead a life that needs nobody outside."""
    words, around = {**LIVES, **MORE}[life]
    foreign = bytearray(Path(FOREIGN).read_bytes())
    foreign[18] = EM_AARCH64
    (folder / "foreign").write_bytes(foreign)
    (folder / "foreign").chmod(0o755)
    manager = Manager(str(folder / "manager"))
    with manager.socket:
        environment = manager.environment if "relay" in life else ENVIRONMENT
        return traced([frozen], words, folder, calls="all", around=around, environment=environment, directory=folder)


def at_a_terminal(life: str, frozen: Path, folder: Path) -> Trace:
    """Lead a life that has a terminal."""
    log = folder / "trace"
    # The tracer is in a session of its own, and init the shell's child.
    program = ["strace", "-DDD", "-ff", "-qq", "-o", str(log), *TERMINALS[life], str(frozen)]
    manager = Manager(str(folder / "manager"))
    with manager.socket:
        if life == "job control":
            job_control(program)
        else:
            words = ["-S", "--", "true"] if life == "a session of its own" else ["true"]
            elsewhere = shell('exec "$@" </dev/null >/dev/null 2>&1 3</dev/null') if "relay" in life else []
            terminal = Terminal([*elsewhere, *program, *words], environment=manager.environment)
            try:
                assert terminal.wait() == 0
            finally:
                terminal.close()
    return read(log, str(frozen), subprocess.CompletedProcess([], 0, "", ""))


# With strace's options. The delay lets the stand-in of -S reach its wait before init ends it.
TERMINALS: Mapping[str, Sequence[str]] = {
    "job control": (),
    "a session of its own": ("-e", "inject=setpgid:delay_enter=300000"),
    "a terminal besides the streams, an inherited descriptor, a relay": (),
}


def job_control(program: Sequence[str]) -> None:
    """^Z, fg and ^C in a shell."""
    bash = Terminal()
    try:
        bash.prompt(0)
        bash.type(shlex.join([*program, "sleep", "1000"]))
        bash.runs("sleep", "1000")
        bash.press(SUSPEND)
        bash.stopped()
        bash.type("fg")
        bash.runs("sleep", "1000")
        bash.press(INTERRUPT)
        bash.prompt(130)
    finally:
        bash.close()


@pytest.fixture(scope="module")
def made(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The calls that init makes, and its children before exec, each with the lives in which they do."""
    found: dict[str, set[str]] = {}
    for life in (*LIVES, *MORE, *TERMINALS):
        led = at_a_terminal if life in TERMINALS else lead
        trace = led(life, frozen, tmp_path_factory.mktemp("life"))
        for call in (*trace.init, *trace.child):
            found.setdefault(call.name, set()).add(life)
    return found


def test_init_makes_no_call_that_the_seccomp_profile_does_not_allow(made: dict[str, set[str]]) -> None:
    names = allowed()
    assert {name: lives for name, lives in made.items() if name not in names} == {}


def test_the_seccomp_profile_allows_no_call_that_init_does_not_make(made: dict[str, set[str]]) -> None:
    assert allowed() - set(made) == set()


def under_the_profile() -> list[str]:
    """The words that start a program for which all other calls fail as if the profile were the engine's."""
    numbers = sorted({-1, *(NUMBERS[name] for name in allowed()), HIGHEST + 1})
    others = [(low + 1, high - 1) for low, high in pairwise(numbers) if high - low > 1]
    return payload("refuse", *(f"{first}-{last}:{errno.EPERM}" for first, last in others), "--")


@pytest.mark.parametrize(
    "option", wide(["-v", "-g", "-a", "-c", "-k9", "-W", "-u65534:65534", "-S", "-vvw"], "-g", "-u65534:65534")
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_under_the_seccomp_profile_signals_arrive_and_exit_codes_come_back(
    start: Start, frozen: Path, place: str, option: str, number: int
) -> None:
    """The payload inherits the profile, so it is one that makes no other calls: pyinit, which awaits a stop signal."""
    words = [option, "-e0:5", "--", str(frozen), "-P"]
    init = start(*words, program=[*under_the_profile(), str(frozen)], place=place)
    until(lambda: procfs.sleeping_in(init.payload) == "rt_sigtimedwait", "a payload that waits")
    init.signal(number)
    code, _, errors = init.wait()
    assert code == 5
    assert "not permitted" not in errors
