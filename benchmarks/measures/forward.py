"""Forwarding: from a signal sent to the init to its arrival at the payload."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from benchmarks.helpers import compiled
from benchmarks.instances import Instance, settle
from benchmarks.programs import Program, no_init
from benchmarks.samples import median, quantile
from benchmarks.tables import Column, Row, Table
from benchmarks.units import MICROSECONDS

BATCH = 110  # signals at a time, before the next program's turn
# The first signal finds the caches full of other programs' pages, and the next few still some of them.
WARM_UP = 10
COLUMNS = (
    Column("median", "median, µs", 1),
    Column("p99", "p99, µs", 1),
    Column("first", "first of a batch, µs", 1),
    Column("processor", "CPU time per signal, µs", 1),
)
NOTE = (
    "From `kill(INIT, SIGUSR1)` to the return of the payload's `sigwaitinfo`. The init is PID 1. Each signal is sent "
    f"when the previous one has arrived. The first of each {BATCH} signals has a column of its own, because it finds "
    f"the caches filled by other programs. Median and p99 leave out the first {WARM_UP}. CPU time is that of the init "
    "alone, for all signals."
)
CROWD_COLUMNS = (
    Column("alone", "alone, µs", 1),
    Column("crowd", "in a crowd, µs", 1),
    Column("processor_alone", "CPU time per signal, alone, µs", 1),
    Column("processor_crowd", "in a crowd, µs", 1),
)


class Signals:
    """What was measured of one program so far, in microseconds: signals that came first, and those that came later."""

    def __init__(self) -> None:
        self.first: list[float] = []
        self.later: list[float] = []
        self._count = 0
        self._processor = 0.0

    def send(self, instance: Instance) -> None:
        """Measure a batch more."""
        before = instance.processor_time()
        stopwatch = [str(compiled("stopwatch")), "forward", str(instance.pid), str(BATCH)]
        output = subprocess.run(stopwatch, check=True, stdin=instance.output, stdout=subprocess.PIPE, text=True).stdout
        latencies = [int(line) / 1000 for line in output.splitlines()]
        self.first.append(latencies[0])
        self.later += latencies[WARM_UP:]
        self._count += BATCH
        self._processor += instance.processor_time() - before

    @property
    def processor(self) -> float:
        """Microseconds of the init's processor time for a signal."""
        return self._processor * MICROSECONDS / self._count


def measure(programs: Sequence[Program], rounds: int) -> Table:
    """One instance of each program, served in turn."""
    all_programs = [no_init(), *programs]
    found = {program.name: Signals() for program in all_programs}
    with ExitStack() as stack:
        instances = [stack.enter_context(Instance(program, "echo")) for program in all_programs]
        settle()
        for instance in instances * rounds:
            found[instance.program.name].send(instance)
    rows: dict[str, Row] = {name: _row(signals) for name, signals in found.items()}
    # Without an init the payload is its own.
    rows[all_programs[0].name] = {**rows[all_programs[0].name], "processor": None}
    return Table("forward", "Forwarding a signal", NOTE, COLUMNS, rows)


def _row(signals: Signals) -> Row:
    return {
        "median": median(signals.later),
        "p99": quantile(signals.later, 0.99),
        "first": median(signals.first),
        "processor": signals.processor,
    }


def crowd(programs: Sequence[Program], alone: Table, rounds: int, processes: int) -> Table:
    """The same while the init has so many idle orphans. One program at a time: they take memory."""
    found = {program.name: Signals() for program in programs}
    for program in list(programs) * rounds:
        with Instance(program, "echo", str(processes)) as instance:
            settle()
            found[program.name].send(instance)
    note = f"Forwarding a signal, as above, while the init has {processes:,} idle orphans as children."
    rows: dict[str, Row] = {name: _crowd_row(alone.rows[name], signals) for name, signals in found.items()}
    return Table("processes", f"Growth: {processes:,} processes", note, CROWD_COLUMNS, rows)


def _crowd_row(alone: Mapping[str, float | None], signals: Signals) -> Row:
    return {
        "alone": alone["median"],
        "crowd": median(signals.later),
        "processor_alone": alone["processor"],
        "processor_crowd": signals.processor,
    }
