"""Memory of an init that waits, alone and as one of many of its kind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.instances import Instance, settle
from benchmarks.programs import Program
from benchmarks.tables import Column, Row, Table

NOTE = (
    "While the payload sleeps, from /proc/PID/smaps_rollup. Pss counts a page that n processes share as 1/n of a "
    "page. So libc, which tini and dumb-init share with other programs on the machine, costs them almost nothing."
)


def measure(programs: Sequence[Program], instances: int) -> Table:
    """One instance, then so many at once; one program after the other."""
    columns = (
        Column("private_dirty", "private dirty, KB"),
        Column("rss", "RSS, KB"),
        Column("pss", "Pss, KB"),
        Column("pss_many", f"Pss, each of {instances}, KB"),
        Column("private_dirty_many", f"private dirty, each of {instances}, KB"),
    )
    for program in programs:
        _write_back(program)
    rows = {program.name: _row(program, instances) for program in programs}
    return Table("memory", "Memory", NOTE, columns, rows)


def _write_back(program: Program) -> None:
    """The pages of a file that was written a moment ago, and is not yet on the disk, would count as dirty."""
    for file in program.files:
        with file.open("rb") as written:
            os.fsync(written)


def _row(program: Program, instances: int) -> Row:
    with ExitStack() as stack:
        all_of_them = [stack.enter_context(Instance(program, "pause"))]
        settle()
        alone = {name: all_of_them[0].memory(name) for name in ("Private_Dirty", "Rss", "Pss")}
        all_of_them += [stack.enter_context(Instance(program, "pause")) for _ in range(instances - 1)]
        settle()
        return {
            "private_dirty": alone["Private_Dirty"],
            "rss": alone["Rss"],
            "pss": alone["Pss"],
            "pss_many": sum(each.memory("Pss") for each in all_of_them) / instances,
            "private_dirty_many": sum(each.memory("Private_Dirty") for each in all_of_them) / instances,
        }
