"""Size of the files."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.programs import Program
from benchmarks.tables import Column, Table

COLUMNS = (Column("bytes", "bytes"),)
NOTE = (
    "The program's own file. tini and dumb-init need libc's besides, onefile libc's and zlib's, source an interpreter "
    "(it counts as its .py files); the others need nothing."
)


def measure(programs: Sequence[Program]) -> Table:
    """Each program's own files."""
    rows = {program.name: {"bytes": sum(file.stat().st_size for file in program.files)} for program in programs}
    return Table("size", "Size", NOTE, COLUMNS, rows)
