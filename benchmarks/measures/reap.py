"""Reaping: orphans as fast as one process can make them."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.effort import Effort
from benchmarks.instances import Instance, settle
from benchmarks.programs import Program
from benchmarks.samples import median, quantile
from benchmarks.tables import Column, Row, Table
from benchmarks.units import MICROSECONDS, NANOSECONDS

PERCENT = 100
STORM = struct.Struct("=QQQQ")  # payload.c, struct storm
COLUMNS = (
    Column("throughput", "orphans per second", lower_is_better=False, absent="never reaped"),
    Column("spread", "half of the rounds within ± %", 0, has_ratio=False, is_judged=False),
    Column("zombies", "most zombies at once", has_ratio=False),
    Column("processor", "CPU time per orphan, µs", 2),
)
NOTE = (
    "The payload creates orphans that exit at once, as fast as it can, and shares its CPU with the init, which is "
    "PID 1. Throughput is measured from the first orphan to the end of the last zombie, and includes the creation. "
    "CPU time is the init's own. Zombies are counted after every ten orphans. Each process runs a few rounds. The "
    "init's share of the time for an orphan is small: all inits, even the floor, reap about as fast as orphans can "
    "be created, and which one is fastest is chance."
)


class Storm(NamedTuple):
    """One round: seconds, zombies, seconds of the init's processor time; whether all were reaped."""

    duration: float
    zombies: int
    processor: float
    complete: bool


def storm(instance: Instance, count: int) -> Storm:
    """So many orphans."""
    before = instance.processor_time()
    instance.tell(count)
    start, end, zombies, left = STORM.unpack(instance.read(STORM.size))
    return Storm((end - start) / NANOSECONDS, zombies, instance.processor_time() - before, not left)


def measure(programs: Sequence[Program], effort: Effort) -> list[Table]:
    """A table for each number of orphans in `effort.storms`."""
    found: defaultdict[tuple[int, str], list[Storm]] = defaultdict(list)
    for life in range(effort.lives):
        # Where its memory happens to lie makes a process quicker or slower than another one of the same program.
        taking_part = [each for each in programs if not each.is_slow or life % effort.slow_lives == 0]
        first = life % len(taking_part)
        with ExitStack() as stack:
            in_turn = taking_part[first:] + taking_part[:first]
            instances = [stack.enter_context(Instance(program, "orphans")) for program in in_turn]
            settle()
            for count, rounds in effort.storms.items():
                for _ in range(rounds):
                    for instance in instances:
                        name = instance.program.name
                        if all(before.complete for size in effort.storms for before in found[size, name]):
                            found[count, name].append(storm(instance, count))
                    # Nobody is always the one who comes after the slowest.
                    instances.append(instances.pop(0))
    return [_table(count, {each.name: found[count, each.name] for each in programs}) for count in effort.storms]


def _table(count: int, found: Mapping[str, Sequence[Storm]]) -> Table:
    rows = {name: _row(count, each) for name, each in found.items()}
    return Table(f"reap_{count}", f"Reaping {count:,} orphans", NOTE, COLUMNS, rows)


def _row(count: int, storms: Sequence[Storm]) -> Row:
    if not storms or not all(each.complete for each in storms):
        return dict.fromkeys(column.key for column in COLUMNS)
    rates = [count / each.duration for each in storms]
    return {
        "throughput": median(rates),
        "spread": (quantile(rates, 0.75) - quantile(rates, 0.25)) / 2 / median(rates) * PERCENT,
        "zombies": max(each.zombies for each in storms),
        "processor": median([each.processor for each in storms]) / count * MICROSECONDS,
    }
