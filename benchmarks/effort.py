"""How much is measured: the more rounds, the steadier the medians."""

from __future__ import annotations

from typing import NamedTuple


class Effort(NamedTuple):
    """Rounds of each measure, and how large its storms and crowds are."""

    starts: int
    slow_every: int  # slow programs take part in each such round of the starts
    large_starts: int  # with the large environment
    signals: int  # rounds of BATCH signals
    lives: int  # so often the storms begin with new processes
    slow_lives: int  # slow programs take part in each such life
    storms: dict[int, int]  # orphans: rounds of a life
    idle: float  # seconds
    instances: int
    processes: int
    crowds: int  # rounds with so many processes


def full(rounds: int) -> Effort:
    """What the published figures come from, with 500 rounds; fewer are quicker, in proportion."""
    return Effort(
        starts=rounds,
        slow_every=min(20, rounds),
        large_starts=max(1, rounds * 2 // 5),
        signals=max(1, rounds // 20),
        lives=max(1, rounds // 50),
        slow_lives=4,
        storms={1000: 3, 10_000: 2, 50_000: 1},
        idle=10.0,
        instances=50,
        processes=2000,
        crowds=max(1, rounds // 100),
    )


def quick() -> Effort:
    """Shows that everything works; the figures mean little."""
    return Effort(
        starts=5,
        slow_every=5,
        large_starts=2,
        signals=1,
        lives=1,
        slow_lives=1,
        storms={1000: 1},
        idle=1.0,
        instances=2,
        processes=200,
        crowds=1,
    )
