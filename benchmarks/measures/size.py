"""Size of the files."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.programs import Program
from benchmarks.tables import Column, Table

COLUMNS = (Column("bytes", "bytes"),)
NOTE = (
    "The program's own file. tini and dumb-init also need libc, onefile needs libc and zlib, and source needs an "
    "interpreter (its size is that of its .py files). The others need nothing else."
)


def measure(programs: Sequence[Program]) -> Table:
    """Each program's own files."""
    rows = {program.name: {"bytes": sum(file.stat().st_size for file in program.files)} for program in programs}
    return Table("size", "Size", NOTE, COLUMNS, rows)
