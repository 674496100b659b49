"""pyinit in any order of what can happen to it, chosen by Hypothesis."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.long.model.setup import Setup
from tests.long.soak.machine import machine
from tests.long.soak.plan import GRACE, OPTIONS

EXAMPLES = 30
STEPS = 25


def test_no_order_of_events_breaks_the_model_of_init(program: list[str], place: str) -> None:
    """Spawn, orphan, stop, continue, kill, signal, enter: what must be true is looked at after each."""
    setups = [Setup(program, place, [*GRACE, *each], relays=relays) for relays in (False, True) for each in OPTIONS]
    run_state_machine_as_test(machine(*setups), settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS))
