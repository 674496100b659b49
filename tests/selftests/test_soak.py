"""The soak and the state machine notice what an init does wrong: one that is broken on purpose, in each of its ways."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.long.model.life import Broken
from tests.long.model.setup import Setup
from tests.long.soak import lives
from tests.long.soak.machine import machine
from tests.support.commands import payload

LIVES = 10
STEPS = 30
LONG = lives.WARM_UP + 50  # steps after which memory has been looked at
NOTICED = {
    # What is dropped may be the CONT of a stopped payload.
    "drops": r"was lost: sent \d+, arrived \d+\n|the payload is stopped: True, not False",
    "doubles": "came that was not sent",
    "swaps": r"RTMIN(\+\d+)? (was lost|came that was not sent)",
    "keeps": "is init's child, and has been a zombie for",
    "coalesces": r"RTMIN\+?\d* was lost",
    "resumes": "the payload('s stop| is stopped: False, not True)",
    "wrong-code": "the exit code: ",
    "leaves": "an orphan outlives init",
    "grows": "growth of what init has written to",
}


def careless(defect: str, place: str = "subreaper") -> Setup:
    """An init with a defect, or with `none`."""
    return Setup(payload("careless", defect), place)


def live(defect: str, place: str = "subreaper") -> None:
    """Live a few lives of a seeded plan."""
    for number in range(LIVES):
        steps = LONG if number == LIVES - 1 else STEPS
        lives.live(careless(defect, place), Random(f"careless/{number}"), steps)


def test_the_soak_lets_an_init_without_a_defect_pass(place: str) -> None:
    """So that what is noticed is the defect."""
    live("none", place)


@pytest.mark.parametrize("defect", NOTICED)
def test_the_soak_notices_each_defect_of_an_init(defect: str) -> None:
    with pytest.raises(Broken, match=NOTICED[defect]):
        live(defect)


def test_a_failure_of_the_soak_tells_what_was_done() -> None:
    with pytest.raises(Broken, match=r"(?m)careless-\w+ drops, subreaper$\n(   *\d+ .+\n)+standard error: ''"):
        live("drops")


def test_the_same_seed_gives_the_same_steps_of_the_soak() -> None:
    texts = []
    for _ in range(2):
        with pytest.raises(Broken) as caught:
            live("wrong-code")
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_the_state_machine_shortens_a_failure() -> None:
    """One signal is enough; at the most a step before and one after it are left."""
    few = settings(max_examples=20, stateful_step_count=6, phases=[Phase.generate, Phase.shrink])
    with pytest.raises(Broken) as caught:
        run_state_machine_as_test(machine(careless("swaps")), settings=few)
    lines = [line.strip() for note in caught.value.__notes__ for line in note.splitlines()]
    steps = [line for line in lines if line.startswith("state.") and "as_the_model_says" not in line]
    assert "state.signal(numbers=[34])" in steps
    assert len(steps) <= len(["begin", "before", "signal", "after", "teardown"])
