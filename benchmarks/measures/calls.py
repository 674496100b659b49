"""What an init executes before its payload: system calls, CPUID instructions."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.helpers import ROOT, compiled
from benchmarks.programs import Program
from benchmarks.surroundings import ENVIRONMENT
from benchmarks.tables import Column, Row, Table

COLUMNS = (
    Column("calls", "system calls"),
    Column("cpuids", "CPUID instructions", has_ratio=False),
)
NOTE = (
    "From execve to the creation of the process that becomes the payload, that call included; of all processes that "
    "the init starts on the way. Counted with ptrace. CPUID instructions are counted where the processor can make "
    "them a fault."
)


class Counts(NamedTuple):
    """Of one start. `cpuids` is None where the processor does not let us count them."""

    calls: int
    cpuids: int | None


def count(program: Program) -> Counts:
    """Starts the program once, as an ordinary process, and counts."""
    reader, writer = os.pipe()
    tracer = [str(compiled("tracer")), str(writer), *program.elsewhere, str(compiled("payload")), "stamp"]
    with open(reader) as result:
        subprocess.run(
            tracer,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd=ROOT,
            pass_fds=[writer],
        )
        os.close(writer)
        calls, cpuids = map(int, result.read().split())
    return Counts(calls, cpuids if cpuids >= 0 else None)


def measure(programs: Sequence[Program]) -> dict[str, Counts]:
    """The counts of each program."""
    return {program.name: count(program) for program in programs}


def table(counts: Mapping[str, Counts]) -> Table:
    """What was counted."""
    rows: dict[str, Row] = {name: {"calls": each.calls, "cpuids": each.cpuids} for name, each in counts.items()}
    return Table("calls", "System calls before the payload", NOTE, COLUMNS, rows)
