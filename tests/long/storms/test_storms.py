"""Storms, small enough for every day: nothing is lost, no zombie is left, and memory is what it was before."""

from __future__ import annotations

import resource
import signal

import pytest

from tests.long.model.life import Life
from tests.long.model.setup import Setup
from tests.long.storms.storm import (
    GROWTH,
    Storm,
    everything,
    orphans,
    quiet,
    real_time_signals,
    standard_signals,
    through,
)

STORMS = [(orphans, 3000), (standard_signals, 60_000), (real_time_signals, 10_000), (everything, 2000)]
# Room in the queue for CONT and CHLD, which the kernel queues even beyond the limit.
SPARED = 8
NUMBER = signal.SIGRTMIN + 5


@pytest.mark.parametrize(("storm", "count"), STORMS)
def test_after_a_storm_nothing_is_lost_or_left_and_memory_has_not_grown(
    program: list[str], place: str, storm: Storm, count: int
) -> None:
    result = through(Setup(program, place), storm, count)
    assert (result.lost, result.left) == (0, 0)
    assert result.orphans + result.arrived > 0
    assert result.growth <= GROWTH


@pytest.mark.parametrize("storm", [standard_signals, real_time_signals])
def test_with_the_relay_nothing_is_lost_or_left_after_a_storm_of_signals(program: list[str], storm: Storm) -> None:
    result = through(Setup(program, "pid1", relays=True), storm, 10_000)
    assert (result.lost, result.left) == (0, 0)
    assert result.growth <= GROWTH


@pytest.mark.parametrize("relays", [False, True], ids=["alone", "relaying"])
def test_a_full_queue_of_signals_arrives_whole_when_a_stopped_init_goes_on(program: list[str], relays: bool) -> None:
    """Regression: with the relay they come through a pipe all at once; it held 65,536, and the rest was lost."""
    life = Life(Setup(program, "pid1", relays=relays))
    try:
        life.init.idle()
        life.hold()
        count = min(resource.getrlimit(resource.RLIMIT_SIGPENDING)[0], 200_000) - SPARED
        for _ in range(count):
            life.init.signal(NUMBER)
        life.release()
        quiet(life)
        assert life.payload.counts() == {signal.SIGCONT: 1, NUMBER: count}
    finally:
        life.close()
