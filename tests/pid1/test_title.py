"""The process title says how far a stop is, whenever something changes."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from tests import processes
from tests.conftest import Start
from tests.ending import kill
from tests.leaving import LONG, Leaving, immortal
from tests.processes import title
from tests.waiting import stays, until


def shows(leaving: Leaving, pattern: str) -> None:
    """Wait for a title."""
    until(lambda: re.fullmatch(pattern, title(leaving.init.pid)), f"{pattern!r} for {title(leaving.init.pid)!r}")


def test_it_counts_who_is_left(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG], ["telling:3"], place=place).end()
    for count in (3, 2, 1):
        shows(leaving, rf"pyinit: stopping, {count} left, KILL in \d\d s")
        os.kill(leaving.left[count - 1], signal.SIGUSR2)
    leaving.wait()


def test_it_says_when_kill_comes(start: Start) -> None:
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
    before = title(leaving.init.pid), processes.switches(leaving.init.pid)
    stays(lambda: (title(leaving.init.pid), processes.switches(leaving.init.pid)) == before, "the same", 1.3)
    kill(leaving.left[0])
    leaving.wait()


def test_it_says_that_kill_was_sent(start: Start, program: list[str], tmp_path: Path) -> None:
    traced = [*immortal(tmp_path / "trace"), *program]
    leaving = Leaving(start, ["-t", "0.1"], ["plain:2"], program=traced, place="subreaper").end()
    (init,) = processes.children(leaving.init.pid)
    until(lambda: title(init) == "pyinit: stopping, 2 left, killed", "the title")
    leaving.wait()
    with leaving.surviving():
        pass


def test_it_says_that_it_waits(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-W"], ["telling:2"], place=place).end()
    shows(leaving, "pyinit: waiting, 2 left")
    kill(leaving.left[0])
    shows(leaving, "pyinit: waiting, 1 left")
    kill(leaving.left[1])
    leaving.wait()


def test_it_stays_the_command_line_while_the_payload_runs(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-t", LONG], ["plain"], place=place)
    assert title(leaving.init.pid).endswith("plain")
    leaving.end().wait()


def test_the_environment_of_others_is_not_touched(start: Start, place: str) -> None:
    """The title takes the place of init's own arguments and environment, not of what the payload was given."""
    leaving = Leaving(start, ["-t", LONG], ["telling"], place=place)
    before = processes.environment(leaving.left[0]), processes.command(leaving.left[0])
    leaving.end()
    shows(leaving, r"pyinit: stopping, 1 left, KILL in \d\d s")
    assert (processes.environment(leaving.left[0]), processes.command(leaving.left[0])) == before
    kill(leaving.left[0])
    leaving.wait()
