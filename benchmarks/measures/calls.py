"""What an init executes before its payload: system calls, CPUID instructions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.helpers import compiled
from benchmarks.measures.cpuids import count as count_cpuids
from benchmarks.programs import Program
from benchmarks.tables import Column, Row, Table
from benchmarks.tracing import traced

COLUMNS = (
    Column("calls", "system calls"),
    Column("cpuids", "CPUID instructions", has_ratio=False),
)
NOTE = (
    "From execve up to and including the creation of the process that becomes the payload: the calls of the init and "
    "of all processes that it starts on the way, counted with ptrace. CPUID instructions are those of the whole run. "
    "If the CPU does not support CPUID faulting, they are counted by single-stepping, and not for slow programs."
)


class Counts(NamedTuple):
    """Of one start. `cpuids` is None if they could not be counted in a reasonable time."""

    calls: int
    cpuids: int | None


def count(program: Program) -> Counts:
    """Starts the program once, as an ordinary process, and counts."""
    payload = (str(compiled("payload")), "stamp")
    calls, cpuids = traced("tracer", [*program.elsewhere, *payload])
    if cpuids >= 0:
        return Counts(calls, cpuids)
    # Stepping through an interpreter takes minutes.
    return Counts(calls, None if program.is_slow else count_cpuids([*program.elsewhere, *payload], program.files[0]))


def measure(programs: Sequence[Program]) -> dict[str, Counts]:
    """The counts of each program."""
    return {program.name: count(program) for program in programs}


def table(counts: Mapping[str, Counts]) -> Table:
    """What was counted."""
    rows: dict[str, Row] = {name: {"calls": each.calls, "cpuids": each.cpuids} for name, each in counts.items()}
    return Table("calls", "System calls before the payload", NOTE, COLUMNS, rows)
