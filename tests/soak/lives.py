"""Lives after one another, each planned by the seed and its own number, and the figures of all."""

from __future__ import annotations

import ctypes
import time
import traceback
from random import Random
from typing import NamedTuple

from tests.soak import plan
from tests.soak.life import Broken, Life
from tests.soak.setup import Setup

PR_SET_CHILD_SUBREAPER = 36
# By then everything that init does has been done once, and its code and data are in memory.
WARM_UP = 100  # steps
# Twice what a page of its file that is used for the first time brings along (the kernel's fault-around).
GROWTH = 128  # KB


class Figures(NamedTuple):
    """What was done and looked at; `growth` is the largest of all lives, in KB."""

    lives: int = 0
    signals: int = 0
    orphans: int = 0
    checks: int = 0
    growth: int = 0

    def __add__(self, other: object) -> Figures:
        assert isinstance(other, Figures)
        lives, signals, orphans, checks, growth = other
        return Figures(
            self.lives + lives,
            self.signals + signals,
            self.orphans + orphans,
            self.checks + checks,
            max(self.growth, growth),
        )

    def __str__(self) -> str:
        return (
            f"{self.lives:,} lives, {self.signals:,} signals, {self.orphans:,} orphans, {self.checks:,} checks; "
            f"RSS grew by {self.growth} KB at the most"
        )


def live(setup: Setup, random: Random, steps: int) -> Figures:
    """Live one life of so many steps; raise Broken if the model was not met."""
    life = Life(setup)
    growth = before = 0
    try:
        for number in range(steps):
            plan.step(life, random)
            life.check()
            if number == WARM_UP:
                before = life.watch.rss
        if before:
            growth = life.watch.rss - before
            life.most("growth of RSS in KB", growth, GROWTH)
        plan.finish(life, random)
        return Figures(1, life.sent, life.orphaned, life.checks, growth)
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


def adopt() -> None:
    """Make what an init leaves behind our child, so that it is seen."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
