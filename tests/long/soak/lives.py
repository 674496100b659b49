"""Lives after one another, each planned by the seed and its own number, and the figures of all."""

from __future__ import annotations

import time
import traceback
from random import Random
from typing import NamedTuple

from tests.long.model.life import Broken, Life
from tests.long.model.setup import Setup
from tests.long.soak import plan

# By then nearly everything that init does has been done once.
WARM_UP = 100  # steps
# With the relay, init reads what has come into a buffer of 64 KB, which may come to lie in another place a few times;
# after 2,000 steps nothing grows any more.
GROWTH = 128  # KB


class Figures(NamedTuple):
    """What was done and looked at; growth is the largest of all lives, in KB.

    RSS has parts of init's file as well, which the kernel maps 64 KB at a time when they are used (fault-around).
    """

    lives: int = 0
    signals: int = 0
    orphans: int = 0
    checks: int = 0
    rss: int = 0
    own: int = 0

    def __add__(self, other: object) -> Figures:
        assert isinstance(other, Figures)
        lives, signals, orphans, checks, rss, own = other
        return Figures(
            self.lives + lives,
            self.signals + signals,
            self.orphans + orphans,
            self.checks + checks,
            max(self.rss, rss),
            max(self.own, own),
        )

    def __str__(self) -> str:
        return (
            f"{self.lives:,} lives, {self.signals:,} signals, {self.orphans:,} orphans, {self.checks:,} checks; "
            f"RSS grew by {self.rss} KB at the most, what init has written to by {self.own} KB"
        )


def live(setup: Setup, random: Random, steps: int) -> Figures:
    """Live one life of so many steps; raise Broken if the model was not met."""
    life = Life(setup)
    rss = own = 0
    try:
        if steps > WARM_UP:
            plan.warm_up(life)
        for number in range(steps):
            plan.step(life, random)
            life.check()
            if number == WARM_UP:
                rss, own = life.watch.rss, life.watch.own
        if steps > WARM_UP and not setup.walks:
            rss, own = max(0, life.watch.rss - rss), max(0, life.watch.own - own)
            life.most("growth of what init has written to, in KB", own, GROWTH)
        else:
            rss = own = 0
        plan.finish(life, random)
        return Figures(1, life.sent, life.orphaned, life.checks, rss, own)
    finally:
        life.close()


def numbered(kind: str, place: str, seed: str, number: int) -> tuple[Figures, str]:
    """Live the life of this number; return its figures and, if it has failed, how to repeat it and what happened."""
    name = f"{kind}/{place}/{number}"
    try:
        random = Random(f"{seed}/{name}")
        return live(plan.setup(kind, place, random), random, plan.length(random)), ""
    except Broken as broken:
        text = str(broken)
    except Exception:
        # Nothing else is expected: it is the soak's own defect, or an init that did something unheard of.
        text = traceback.format_exc()
    return Figures(), f"to repeat it: make soak SEED={seed} LIFE={name}\n{text}"


def until(deadline: float, kind: str, place: str, seed: str) -> tuple[Figures, str]:
    """Live one life after the other until a time of the monotonic clock, or a failure; return the sum, and that."""
    total, failed, number = Figures(), "", 0
    while time.monotonic() < deadline and not failed:
        number += 1
        figures, failed = numbered(kind, place, seed, number)
        total += figures
    return total, failed
