"""What pyinit's frozen file is to reach, and where it does not: the verdict at the head of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from benchmarks.tables import Table

SUBJECT = "pyinit"
FLOOR = "floor"


class Target(NamedTuple):
    """A limit for one figure: as a multiple of tini's, or in the column's own unit."""

    text: str
    table: str
    column: str
    limit: float
    of_reference: bool = True
    at_least: bool = False


TARGETS = (
    Target("start, as PID 1", "start_pid1", "start", 0.45),
    Target("start, not as PID 1", "start", "start", 0.45),
    Target("start, as PID 1, without CPUID", "start_pid1", "without_cpuid", 1.0),
    Target("start, not as PID 1, without CPUID", "start", "without_cpuid", 1.0),
    Target("start with an environment of 1 MB", "environment", "large", 1.3),
    Target("exit, as PID 1", "start_pid1", "exit", 1.3),
    Target("exit, not as PID 1", "start", "exit", 1.3),
    Target("forwarding, median", "forward", "median", 1.3),
    Target("forwarding, p99", "forward", "p99", 1.3),
    Target("reaping 1,000: orphans per second", "reap_1000", "throughput", 1.0, at_least=True),
    Target("reaping 10,000: orphans per second", "reap_10000", "throughput", 1.0, at_least=True),
    Target("reaping 50,000: orphans per second", "reap_50000", "throughput", 1.0, at_least=True),
    Target("reaping 1,000: CPU time", "reap_1000", "processor", 1.3),
    Target("reaping 10,000: CPU time", "reap_10000", "processor", 1.3),
    Target("reaping 50,000: CPU time", "reap_50000", "processor", 1.3),
    Target("wake-ups while idle", "idle", "wake_ups", 0, of_reference=False),
    Target("private dirty, KB", "memory", "private_dirty", 160, of_reference=False),
    Target("RSS, KB", "memory", "rss", 2560, of_reference=False),
    Target("Pss per instance, many running, KB", "memory", "pss_many", 200, of_reference=False),
    Target("size, bytes", "size", "bytes", 4_000_000, of_reference=False),
    Target("system calls before the payload", "calls", "calls", 12, of_reference=False),
)


class Verdict(NamedTuple):
    """A target and what was measured, in the target's unit; also for the floor, below which no init gets."""

    target: Target
    measured: float
    floor: float | None

    @property
    def is_met(self) -> bool:
        """Whether the figure is as wanted; a figure equal to the limit is."""
        if self.target.at_least:
            return self.measured >= self.target.limit
        return self.measured <= self.target.limit


def verdicts(tables: Mapping[str, Table]) -> Iterator[Verdict]:
    """The targets whose figures were measured."""
    for target in TARGETS:
        table = tables.get(target.table)
        measured = _figure(table, target, SUBJECT)
        if measured is not None:
            yield Verdict(target, measured, _figure(table, target, FLOOR))


def _figure(table: Table | None, target: Target, program: str) -> float | None:
    if table is None:
        return None
    own = table.rows.get(program, {}).get(target.column)
    return table.ratio(program, target.column) if target.of_reference else own


class Defeat(NamedTuple):
    """A figure in which another init is better than pyinit's frozen file."""

    table: Table
    heading: str
    own: str
    better: dict[str, str]  # the others' figures by name


def defeats(tables: Mapping[str, Table], peers: tuple[str, ...]) -> Iterator[Defeat]:
    """Every figure in which one of the peers is better."""
    for table in tables.values():
        for column in table.columns:
            own = table.rows.get(SUBJECT, {}).get(column.key)
            if own is None or not column.is_judged:
                continue
            better = {}
            for name in peers:
                other = table.rows.get(name, {}).get(column.key)
                if other is not None and (other < own if column.lower_is_better else other > own):
                    better[name] = column.text(other)
            # Figures that look the same are not worth a word.
            better = {name: text for name, text in better.items() if text != column.text(own)}
            if better:
                yield Defeat(table, column.heading, column.text(own), better)
