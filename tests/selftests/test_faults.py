"""The injection of faults notices what an init does wrong: one that is broken on purpose, in each of its ways."""

from __future__ import annotations

import pytest

from tests.long.faults import plan
from tests.long.faults.scenario import Candidate, Fault
from tests.support import outcomes, polling
from tests.support.commands import payload
from tests.support.requirements import need

REFUSED = Fault("kill", 1, "EPERM")
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


def flawed(flaw: str, place: str, patience: float = polling.PATIENCE) -> Candidate:
    """Return an init that breaks its word in one way; it is held to what pyinit is held to."""
    return Candidate("pyinit, flawed", payload("flawed", flaw), place, patience=patience)


@pytest.mark.parametrize("flaw", [*FLAWS, "ends alone", "forgets"])
def test_without_a_fault_no_flaw_of_an_init_shows(flaw: str) -> None:
    result = flawed(flaw, "subreaper").run()
    assert (result.outcome, result.detail) == (outcomes.HELD, "42, ready orphans TERM; ")


@pytest.mark.parametrize("flaw", FLAWS)
def test_under_a_fault_each_flaw_of_an_init_is_seen(flaw: str) -> None:
    result = flawed(flaw, "pid1", 2.0 if flaw == "hangs" else polling.PATIENCE).run(REFUSED)
    assert result.outcome == FLAWS[flaw], result.detail


@pytest.mark.parametrize("place", PLACES)
def test_a_signal_that_is_lost_when_it_comes_at_the_wrong_moment_is_missed(place: str) -> None:
    result = flawed("forgets", place).run(Fault("kill", 1, "TERM"))
    assert result.outcome == outcomes.LOST, result.detail


def test_a_payload_that_its_init_leaves_running_is_seen_and_ended() -> None:
    result = flawed("ends alone", "subreaper").run(REFUSED)
    assert result.outcome == outcomes.LEFT, result.detail


def test_tini_is_seen_to_leave_its_payload_running_when_a_signal_is_refused() -> None:
    """canvas-lms #1257."""
    need("tini")
    (tini,) = (each for each in plan.peers() if each.name == "tini" and each.place == "subreaper")
    result = tini.run(REFUSED)
    assert result.outcome == outcomes.LEFT, result.detail


@pytest.mark.parametrize("place", PLACES)
def test_a_fault_that_is_never_reached_does_not_count(place: str, program: list[str]) -> None:
    result = Candidate("pyinit", program, place).run(Fault("kill", 1000, "EPERM"))
    assert result.outcome == outcomes.UNREACHED, result.detail
