"""A few faults of each call, for every `make test`; and that the harness sees what is broken when something is."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.faults import plan
from tests.faults.scenario import Candidate, Fault
from tests.support import outcomes, polling
from tests.support.commands import payload
from tests.support.requirements import need
from tools.tree import ROOT

REFUSED = Fault("kill", 1, "EPERM")
PATIENCE = 300.0  # seconds; a quiet machine needs 15
PLACES = ("pid1", "subreaper")
# What each flaw of payloads/flawed.py must be seen as.
FLAWS = {
    "hangs": outcomes.HUNG,
    "crashes": outcomes.CRASHED,
    "faults": outcomes.CRASHED,
    "raises": outcomes.CRASHED,
    "says nothing": outcomes.SILENT,
    "says too much": outcomes.SILENT,
    "succeeds": outcomes.WRONG,
    "invents a code": outcomes.WRONG,
    "says it twice": outcomes.LOST,
}


def flawed(flaw: str, place: str) -> Candidate:
    """An init that breaks its word in one way; held to what pyinit is held to."""
    patience = 2.0 if flaw == "hangs" else polling.PATIENCE
    return Candidate("pyinit, flawed", payload("flawed", flaw), place, patience=patience)


@pytest.mark.parametrize("name", ["pyinit, source", "pyinit, frozen", "pyinit -vvw, frozen"])
def test_no_call_that_fails_breaks_pyinit(name: str) -> None:
    """`make faults` tries every call and every error."""
    words = [sys.executable, "-m", "tests.faults", "--quick", "--only", name]
    done = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.findall(rf"^{re.escape(name)}, (.*): (\d+) faults: ", done.stdout, re.MULTILINE)
    assert [place for place, _ in counts] == ["PID 1", "subreaper"], done.stdout
    assert all(int(count) > 30 for _, count in counts), done.stdout
    assert "broken by pyinit: 0" in done.stdout


@pytest.mark.parametrize("flaw", [*FLAWS, "ends alone", "forgets"])
def test_without_a_fault_no_flaw_shows(flaw: str) -> None:
    result = flawed(flaw, "subreaper").run()
    assert (result.outcome, result.detail) == (outcomes.HELD, "42, ready orphans TERM; ")


@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_is_seen_in_pid_1(flaw: str) -> None:
    result = flawed(flaw, "pid1").run(REFUSED)
    assert result.outcome == FLAWS[flaw], result.detail


@pytest.mark.parametrize("place", PLACES)
def test_a_signal_that_came_at_the_wrong_moment_is_missed(place: str) -> None:
    result = flawed("forgets", place).run(Fault("kill", 1, "TERM"))
    assert result.outcome == outcomes.LOST, result.detail


def test_a_payload_that_is_left_running_is_seen() -> None:
    """And ended."""
    result = flawed("ends alone", "subreaper").run(REFUSED)
    assert result.outcome == outcomes.LEFT, result.detail


def test_tini_leaves_its_payload_behind_when_a_signal_is_refused() -> None:
    """canvas-lms #1257."""
    need("tini")
    (tini,) = (each for each in plan.peers() if each.name == "tini" and each.place == "subreaper")
    result = tini.run(REFUSED)
    assert result.outcome == outcomes.LEFT, result.detail


@pytest.mark.parametrize("place", PLACES)
def test_a_fault_that_never_comes_does_not_count(place: str, program: list[str]) -> None:
    result = Candidate("pyinit", program, place).run(Fault("kill", 1000, "EPERM"))
    assert result.outcome == outcomes.UNREACHED, result.detail


@pytest.mark.parametrize("error", ["EPERM", "ENOSYS"])
def test_a_kill_that_is_never_allowed_does_not_end_init_when_it_looks_who_is_left(kind: str, error: str) -> None:
    """It asked with kill(-1, 0), and took the refusal for an internal error: 125 instead of the payload's code."""
    result = plan.ours(kind, "pid1").run(Fault("kill", 1, error, always=True))
    assert result.outcome == outcomes.HELD, result.detail
