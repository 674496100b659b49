"""Start and end of an init: from its execve to its payload, and from the payload's end to its own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.helpers import compiled
from benchmarks.measures.calls import Counts
from benchmarks.programs import NO_INIT, Program, no_init
from benchmarks.samples import median, quantile
from benchmarks.surroundings import ENVIRONMENT
from benchmarks.tables import Column, Row, Table
from benchmarks.units import MICROSECONDS, NANOSECONDS
from tools.tree import ROOT

MICROSECOND = NANOSECONDS / MICROSECONDS  # what one is in nanoseconds
COLUMNS = (
    Column("start", "start, µs", 0),
    Column("start_p90", "p90", 0, has_ratio=False),
    Column("without_cpuid", "without CPUID, µs", 0),
    Column("processor", "CPU time, µs", 0),
    Column("faults", "page faults", 0),
    Column("first", "to payload's first instruction, µs", 0),
    Column("exit", "exit, µs", 1),
)
NOTE = (
    "Start: the time of `INIT payload` less that of `payload` alone. Without CPUID: also less the time of the init's "
    "CPUID instructions, which virtual machines trap. To the payload's first instruction: from the init's execve, "
    "with nothing subtracted. Exit: from the payload's `_exit` until the init's parent sees the init exit. All "
    "figures except p90 are medians. The programs are started by `vfork`, with an environment of 1 KB, on one CPU. "
    "Every file, including libc, was written just before (benchmarks/unpacked.py)."
)


class Sample(NamedTuple):
    """One start: nanoseconds, microseconds of processor time, and page faults."""

    first: float
    exit: float
    wall: float
    processor: float
    faults: float


def samples(
    programs: Sequence[Program], rounds: int, slow_every: int, *, is_init: bool, environment: Mapping[str, str]
) -> dict[str, list[Sample]]:
    """Starts of each program and of the payload alone, in turn."""
    started = [no_init(), *programs]
    words: list[str] = []
    for program in started:
        command = program.command if is_init else program.elsewhere
        every = slow_every if program.is_slow else 1
        words += [":::", str(every), *command, str(compiled("payload")), "stamp"]
    output = subprocess.run(
        [str(compiled("stopwatch")), "start", *(["-1"] if is_init else []), str(rounds), *words[1:]],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    ).stdout
    found: dict[str, list[Sample]] = {program.name: [] for program in started}
    for line in output.splitlines():
        number, *figures = map(int, line.split())
        found[started[number].name].append(Sample(*figures))
    return found


def net(found: Mapping[str, Sequence[Sample]], field: int) -> dict[str, float]:
    """Medians of a field of Sample by program, less that of the payload alone."""
    medians = {name: median([sample[field] for sample in each]) for name, each in found.items()}
    return {name: value - medians[NO_INIT] for name, value in medians.items()}


def table(
    key: str, title: str, found: Mapping[str, Sequence[Sample]], counts: Mapping[str, Counts], cpuid: float
) -> Table:
    """What these starts come to; `cpuid` is what one such instruction takes, in nanoseconds."""
    wall, processor, faults = (net(found, field) for field in (2, 3, 4))
    alone = median([sample.wall for sample in found[NO_INIT]])
    rows: dict[str, Row] = {}
    for name, each in found.items():
        row: dict[str, float | None] = {
            "first": median([sample.first for sample in each]) / MICROSECOND,
            "exit": median([sample.exit for sample in each]) / MICROSECOND,
        }
        if name != NO_INIT:
            cpuids = counts[name].cpuids
            row |= {
                "start": wall[name] / MICROSECOND,
                "start_p90": (quantile([sample.wall for sample in each], 0.9) - alone) / MICROSECOND,
                "without_cpuid": None if cpuids is None else (wall[name] - cpuids * cpuid) / MICROSECOND,
                "processor": processor[name],
                "faults": faults[name],
            }
        rows[name] = row
    return Table(key, title, NOTE, COLUMNS, rows)


def measure(
    programs: Sequence[Program],
    rounds: int,
    slow_every: int,
    counts: Mapping[str, Counts],
    cpuid: float,
    *,
    is_init: bool,
) -> Table:
    """Start and end as PID 1 of a PID namespace, or as an ordinary process."""
    found = samples(programs, rounds, slow_every, is_init=is_init, environment=ENVIRONMENT)
    if is_init:
        return table("start_pid1", "Start and exit, as PID 1", found, counts, cpuid)
    return table("start", "Start and exit, not as PID 1", found, counts, cpuid)


def cost_of_cpuid() -> float:
    """Nanoseconds that a CPUID instruction takes here, at several moments."""
    stopwatch = [str(compiled("stopwatch")), "cpuid"]
    return median([float(subprocess.check_output(stopwatch, text=True)) for _ in range(25)])
