"""Storms: more orphans and signals at once than any container will see, and what an init made of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pyinit import signals
from tests.long.model.life import FORWARDED, Life
from tests.long.model.setup import Setup
from tests.support import procfs
from tests.support.commands import payload
from tests.support.polling import NotInTimeError, until

MICROSECONDS = 1e6
PATIENCE = 120.0  # seconds
GROWTH = 64  # KB that RSS may be larger after a storm than before it
PIECE = 2000  # orphans that are asked for at a time
GUST = 200  # orphans
VISIT = 20  # orphans of one who is let in
# Of those that do not discard each other (signal(7)).
STANDARD = [number for number in FORWARDED if number < signals.RTMIN and number not in signals.JOB_CONTROL]
STANDARD.remove(signals.CONT)
REAL_TIME = [signals.RTMIN + 3, signals.RTMIN + 7, signals.RTMAX]


class Result(NamedTuple):
    """Signals that arrived and were lost, and seconds of the init's processor time in all."""

    orphans: int = 0
    arrived: int = 0
    lost: int = 0
    processor: float = 0.0
    left: int = 0  # zombies
    growth: int = 0  # KB of RSS

    @property
    def each(self) -> float:
        """Microseconds of processor time for an orphan or a signal."""
        return self.processor * MICROSECONDS / max(1, self.orphans + self.arrived)


Storm = Callable[[Life, int], Result]


def orphans(life: Life, count: int) -> Result:
    """So many orphans, that end at once."""
    for begun in range(0, count, PIECE):
        life.payload.ask(f"vanish {min(PIECE, count - begun)}")
    return Result(orphans=count)


def standard_signals(life: Life, count: int) -> Result:
    """So many signals that coalesce: how often each arrives is chance, but the last one of each number must."""
    result = _signals(life, count, STANDARD)
    last = _signals(life, len(STANDARD), STANDARD)
    return result._replace(arrived=result.arrived + last.arrived, lost=len(STANDARD) - last.arrived)


def real_time_signals(life: Life, count: int) -> Result:
    """So many signals of which each must arrive."""
    return _signals(life, count, REAL_TIME)


def everything(life: Life, count: int) -> Result:
    """So many real-time signals, a tenth as many orphans, and others let in, who leave orphans as well and go."""
    before = life.payload.counts()
    made = visitors = 0
    with subprocess.Popen(payload("volley", str(life.init.pid), str(count), *map(str, REAL_TIME))) as volley:
        while volley.poll() is None or made < count // 10:
            made += orphans(life, VISIT).orphans
            if life.setup.place == "pid1" and visitors * VISIT < made:
                visitor = life.visit()
                visitor.actor.ask(f"vanish {VISIT}")
                visitor.leave()
                visitors += 1
        assert volley.returncode == 0, "volley"
    return _arrived(life, count, REAL_TIME, before)._replace(orphans=made + visitors * VISIT)


def through(setup: Setup, storm: Storm, count: int, share: float = 0.25) -> Result:
    """Let a storm pass over an init, after a smaller one of its kind, which is this share of it."""
    life = Life(setup)
    try:
        _warm_up(life, storm, int(count * share))
        return _blown_over(life, storm, count)
    finally:
        life.close()


def _warm_up(life: Life, storm: Storm, count: int) -> None:
    """Let a smaller storm pass: then everything that init does in one has been done, and its code is in memory."""
    life.hold()
    # More than init reaps at a time, and signals that have to wait for it.
    orphans(life, GUST)
    for number in (*STANDARD, *REAL_TIME):
        life.init.signal(number)
    life.release()
    quiet(life)
    _blown_over(life, storm, count)


def _blown_over(life: Life, storm: Storm, count: int) -> Result:
    """Let a storm pass; return what has become of it when there is nothing more to do."""
    memory, processor = life.watch.rss, life.watch.processor_time
    result = storm(life, count)
    quiet(life)
    left = 0
    try:
        life.watch.only({life.init.payload})
    except NotInTimeError:
        left = len(procfs.children(life.init.pid)) - 1
    return result._replace(
        processor=life.watch.processor_time - processor, left=left, growth=max(0, life.watch.rss - memory)
    )


def _signals(life: Life, count: int, numbers: Sequence[int]) -> Result:
    before = life.payload.counts()
    words = payload("volley", str(life.init.pid), str(count), *map(str, numbers))
    subprocess.run(words, check=True, timeout=PATIENCE)
    return _arrived(life, count, numbers, before)


def _arrived(life: Life, count: int, numbers: Sequence[int], before: dict[int, int]) -> Result:
    quiet(life)
    after = life.payload.counts()
    arrived = sum(after.get(number, 0) - before.get(number, 0) for number in numbers)
    return Result(arrived=arrived, lost=count - arrived)


def quiet(life: Life) -> None:
    """Wait until the init sleeps and nothing waits for it, whatever it is that it sleeps in."""
    until(lambda: procfs.rests(life.init.pid), "an init with nothing to do", PATIENCE)
