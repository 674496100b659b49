"""Storms, small enough for every day: nothing is lost, no zombie is left, and memory is what it was before."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.model.life import Life
from tests.model.setup import Setup
from tests.storms.storm import (
    GROWTH,
    Result,
    Storm,
    blown_over,
    everything,
    orphans,
    quiet,
    real_time_signals,
    standard_signals,
    warm_up,
)
from tests.support.commands import payload
from tests.support.users import user_of_its_own

STORMS = [(orphans, 3000), (standard_signals, 60_000), (real_time_signals, 10_000), (everything, 2000)]
# Room in the queue for CONT and CHLD, which the kernel queues even beyond the limit.
SPARED = 8
NUMBER = signal.SIGRTMIN + 5
Begin = Callable[..., Life]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """A function that begins a life, as a user of its own; it is closed at the end."""
    with contextlib.ExitStack() as lives:

        def start(setup: Setup) -> Life:
            life = Life(setup._replace(program=[*user_of_its_own(), *setup.program]))
            lives.callback(life.close)
            return life

        yield start


def result_of(life: Life, storm: Storm, count: int) -> Result:
    """What a storm did, after one to warm up."""
    warm_up(life, storm, count // 4)
    return blown_over(life, storm, count)


@pytest.mark.parametrize(("storm", "count"), STORMS)
def test_a_storm_blows_over(program: list[str], place: str, begin: Begin, storm: Storm, count: int) -> None:
    result = result_of(begin(Setup(program, place)), storm, count)
    assert (result.lost, result.left) == (0, 0)
    assert result.orphans + result.arrived > 0
    assert result.growth <= GROWTH


@pytest.mark.parametrize("storm", [standard_signals, real_time_signals])
def test_a_storm_while_the_relay_is_there(program: list[str], begin: Begin, storm: Storm) -> None:
    result = result_of(begin(Setup(program, "pid1", relays=True)), storm, 10_000)
    assert (result.lost, result.left) == (0, 0)
    assert result.growth <= GROWTH


@pytest.mark.parametrize("relays", [False, True], ids=["alone", "relaying"])
def test_a_full_queue_arrives_whole_when_a_stopped_init_goes_on(program: list[str], begin: Begin, relays: bool) -> None:
    """With the relay they come through a pipe all at once; it held 65,536, and the rest was lost."""
    life = begin(Setup(program, "pid1", relays=relays))
    life.init.idle()
    life.hold()
    count = min(resource.getrlimit(resource.RLIMIT_SIGPENDING)[0], 200_000) - SPARED
    for _ in range(count):
        life.init.signal(NUMBER)
    life.release()
    quiet(life)
    assert life.payload.counts() == {signal.SIGCONT: 1, NUMBER: count}


@pytest.mark.parametrize(
    ("defect", "storm", "seen"),
    [
        ("drops", standard_signals, "lost"),
        ("drops", real_time_signals, "lost"),
        ("keeps", orphans, "left"),
        ("grows", orphans, "growth"),
    ],
)
def test_what_an_init_does_wrong_in_a_storm_is_seen(begin: Begin, defect: str, storm: Storm, seen: str) -> None:
    result = result_of(begin(Setup(payload("careless", defect), "pid1")), storm, 200)
    found = {"lost": result.lost, "left": result.left, "growth": result.growth > GROWTH}
    assert found.pop(seen)
    assert not any(found.values())
