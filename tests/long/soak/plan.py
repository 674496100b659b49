"""A life planned by a seeded generator: the same seed gives the same setup and the same steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from pyinit import signals
from tests.long.model.life import DISCARDING, FORWARDED, KILL, Life
from tests.long.model.setup import Setup
from tests.support.commands import PROGRAMS

OPTIONS: Sequence[Sequence[str]] = (
    *([], ["-g"], ["-a"], ["-c"], ["-v"], ["-w"], ["-S"], ["-S", "-g"]),
    ["-s", "-g", "-vv"],
)
# Those who are left ignore TERM: without a short grace period every life would end with three seconds of waiting.
GRACE = ["-t", "0.05"]
# What a burst is made of: these do not discard each other.
BURST = [number for number in FORWARDED if number not in DISCARDING]
FATAL = [number for number in FORWARDED if number not in {signals.CONT, signals.WINCH, 23, *signals.JOB_CONTROL}]
MOST = 6  # living orphans, and processes that were let in
MOST_AT_ONCE = 100
MANY = 1000  # signals that wait for an init that is stopped; then it goes on
LENGTHS = (5, 20, 20, 60, 60, 60, 300)


def setup(kind: str, place: str, random: Random) -> Setup:
    """An init with options of chance."""
    rewrite = {number: random.choice([0, *BURST]) for number in random.sample(BURST, random.choice((0, 0, 2)))}
    return Setup(PROGRAMS[kind], place, [*GRACE, *random.choice(OPTIONS)], rewrite, random.random() < 0.3)


def length(random: Random) -> int:
    """How many steps there will be."""
    return random.choice(LENGTHS)


def step(life: Life, random: Random) -> None:
    """Do one thing that can be done now."""
    random.choice(list(_possible(life, random)))()


def warm_up(life: Life) -> None:
    """As many signals at once as there will be: the room that init needs for them, it keeps."""
    life.hold()
    life.signal(*[signals.RTMIN] * (_many(life) + MOST_AT_ONCE))
    life.release()
    life.check()


def finish(life: Life, random: Random) -> None:
    """End the payload in one of its ways."""
    way = random.choice(["exit", "exit", "die", "kill"])
    number = {"exit": random.randrange(256), "die": random.choice(FATAL), "kill": KILL}[way]
    life.finish(way, number, random.choices(BURST, k=random.choice((0, 1, 3))))


def _possible(life: Life, random: Random) -> list[Callable[[], object]]:
    """What can be done, the more frequent more often."""
    if life.held and life.waiting > _many(life):
        return [life.release]
    found: list[Callable[[], object]] = [lambda: life.signal(*_numbers(life, random))] * 6
    found.append(life.release if life.held else life.hold)
    if not life.held:
        found.append(life.resume if life.stopped else life.stop)
    if life.orphans:
        index = random.randrange(len(life.orphans))
        found += [lambda: life.end_orphan(index)] * 2
        stopped = life.orphans[index].stopped
        found.append(lambda: (life.continue_orphan if stopped else life.stop_orphan)(index))
    if len(life.orphans) < MOST:
        found += [partial(life.orphan, random.random() < 0.5, by) for by in _makers(life)]
    found += [partial(life.vanish, random.choice((1, 3, 30)), by) for by in _makers(life)]
    if life.answers:
        found.append(lambda: life.neglect(random.randrange(1, 4)))
    if life.setup.place == "pid1" and len(life.entered) < MOST:
        found.append(life.enter)
    if life.entered:
        found.append(lambda: life.leave(random.randrange(len(life.entered))))
    return found


def _many(life: Life) -> int:
    """How many signals may wait."""
    return MANY // 10 if life.setup.walks else MANY


def _makers(life: Life) -> list[int | None]:
    """Who can be told something: the payload (None), and those who were let in."""
    return [*([None] if life.answers else []), *range(len(life.entered))]


def _numbers(life: Life, random: Random) -> list[int]:
    """One signal, or a burst."""
    number = random.choice(FORWARDED)
    if random.random() < 0.5 and life.can_take(number):
        return [number]
    few = random.sample(BURST, 3)
    return [random.choice(few) for _ in range(random.choice((2, 10, MOST_AT_ONCE)))]
