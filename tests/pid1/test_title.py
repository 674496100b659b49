"""The process title says how far a stop is, whenever something changes."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import ENVIRONMENT
from tests.support.polling import stays, until
from tests.support.procfs import title
from tests.support.survivors import LONG, Leaving, immortal
from tests.support.types import Start


def shows(leaving: Leaving, pattern: str) -> None:
    """Wait for a title."""
    until(lambda: re.fullmatch(pattern, title(leaving.init.pid)), f"{pattern!r} for {title(leaving.init.pid)!r}")


def as_in_proc(environment: Mapping[str, str]) -> bytes:
    """Return an environment as /proc/PID/environ shows it."""
    return b"".join(os.fsencode(f"{name}={value}\0") for name, value in environment.items())


def test_the_title_counts_the_processes_left(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG], ["telling:3"], place=place).end()
    for count in (3, 2, 1):
        shows(leaving, rf"pyinit: stopping, {count} left, KILL in \d\d s")
        os.kill(leaving.left[count - 1], signal.SIGUSR2)
    leaving.wait()


def test_the_title_says_when_kill_comes(start: Start) -> None:
    """Rounded up: 3 s as PID 1."""
    leaving = Leaving(start, [], ["telling:2"]).end()
    shows(leaving, r"pyinit: stopping, 2 left, KILL in 3 s")
    for pid in leaving.left:
        kill(pid)
    leaving.wait()


def test_it_changes_when_something_happens_and_not_as_time_goes_by(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG], ["telling"], place=place).end()
    shows(leaving, r"pyinit: stopping, 1 left, KILL in 60 s")
    # Asked to end; the next thing that happens is KILL.
    leaving.says("told 18", 1)
    leaving.init.idle()
    before = title(leaving.init.pid), procfs.switches(leaving.init.pid)
    stays(lambda: (title(leaving.init.pid), procfs.switches(leaving.init.pid)) == before, "the same", 1.3)
    kill(leaving.left[0])
    leaving.wait()


def test_the_title_says_that_kill_was_sent(start: Start, program: list[str], tmp_path: Path) -> None:
    traced = [*immortal(tmp_path / "trace"), *program]
    leaving = Leaving(start, ["-t", "0.1"], ["plain:2"], program=traced, place="subreaper").end()
    (init,) = procfs.children(leaving.init.pid)
    until(lambda: title(init) == "pyinit: stopping, 2 left, killed", "the title")
    leaving.wait()
    with leaving.surviving():
        pass


def test_the_title_says_that_init_waits(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-W"], ["telling:2"], place=place).end()
    shows(leaving, "pyinit: waiting, 2 left")
    kill(leaving.left[0])
    shows(leaving, "pyinit: waiting, 1 left")
    kill(leaving.left[1])
    leaving.wait()


def test_the_title_stays_the_command_line_while_the_payload_runs(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG], ["plain"], place=place)
    assert title(leaving.init.pid).endswith("plain")
    leaving.end().wait()


@pytest.mark.parametrize(
    "environment",
    [{**ENVIRONMENT, "MARK": "here"}, {"FIRST": "1"}, {**ENVIRONMENT, "SPT_NOENV": ""}, {}],
    ids=["usual", "one variable", "setproctitle's variable", "none"],
)
@pytest.mark.parametrize("options", [["-t", LONG], ["-W"]], ids=" ".join)
def test_inits_own_environment_and_name_stay_while_the_title_changes(
    start: Start, kind: str, place: str, options: list[str], environment: Mapping[str, str]
) -> None:
    """Regression: cron jobs and systemd-detect-virt read /proc/1/environ. It was zeros from the payload's end on."""
    leaving = Leaving(start, options, ["telling:2"], place=place, environment=environment)
    pid = leaving.init.pid
    expected = as_in_proc(environment), b"pyinit\n"
    assert (procfs.read(pid, "environ"), procfs.read(pid, "comm")) == expected
    leaving.end()
    for count in (2, 1):
        # From source there is no title without an environment: setproctitle looks for the arguments in front of it.
        if environment or kind == "frozen":
            shows(leaving, rf"pyinit: \w+, {count} left.*")
        leaving.init.idle()
        assert (procfs.read(pid, "environ"), procfs.read(pid, "comm")) == expected
        kill(leaving.left[count - 1])
    leaving.wait()


@pytest.mark.parametrize("name", ["tini", "docker-init", "a-name-that-is-longer-than-the-kernel-keeps"])
def test_inits_name_is_the_name_that_it_is_run_by(start: Start, named: Callable[[str], str], name: str) -> None:
    leaving = Leaving(start, [], ["telling"], program=[named(name)])
    assert procfs.read(leaving.init.pid, "comm") == name[:15].encode() + b"\n"
    leaving.end()
    shows(leaving, r"pyinit: stopping, 1 left, KILL in \d s")
    leaving.init.idle()
    assert procfs.read(leaving.init.pid, "comm") == name[:15].encode() + b"\n"
    kill(leaving.left[0])
    leaving.wait()


@pytest.mark.parametrize("kind", ["frozen"], indirect=True)
@pytest.mark.parametrize("words", ["./a", "./a 1", "-t60 -- ./a with words that leave it room enough"])
@pytest.mark.parametrize("environment", [ENVIRONMENT, {}], ids=["environment", "no environment"])
def test_the_title_is_cut_to_the_room_of_the_arguments(
    start: Start, program: list[str], tmp_path: Path, words: str, environment: Mapping[str, str]
) -> None:
    shutil.copy(program[0], tmp_path / "p")
    (tmp_path / "a").write_text("#!/bin/sh\ntrap '' TERM; /bin/sleep 600 & exit 0\n")
    (tmp_path / "a").chmod(0o755)
    init = start(*words.split(), program=["./p"], directory=tmp_path, environment=environment)
    room = len(f"./p {words} ")
    shown = b"pyinit: stopping, 1 left, KILL in 60 s"[: room - 2].ljust(room, b"\0")
    until(lambda: procfs.read(init.pid, "cmdline") == shown, lambda: f"{shown!r}; {init.stderr}")
    assert procfs.read(init.pid, "environ") == as_in_proc(environment)


def test_the_title_does_not_touch_the_environment_of_others(start: Start, place: str) -> None:
    """The title takes the place of init's own arguments and environment, not of what the payload was given."""
    leaving = Leaving(start, ["-t", LONG], ["telling"], place=place)
    before = procfs.environment(leaving.left[0]), procfs.command(leaving.left[0])
    leaving.end()
    shows(leaving, r"pyinit: stopping, 1 left, KILL in \d\d s")
    assert (procfs.environment(leaving.left[0]), procfs.command(leaving.left[0])) == before
    kill(leaving.left[0])
    leaving.wait()
