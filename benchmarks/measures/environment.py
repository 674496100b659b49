"""Growth with the environment: what a large one costs at the start."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measures.start import MICROSECOND, net, samples
from benchmarks.programs import NO_INIT, Program
from benchmarks.surroundings import large_environment
from benchmarks.tables import Column, Row, Table

COLUMNS = (
    Column("small", "start, 1 KB, µs"),
    Column("large", "start, 1 MB, µs"),
    Column("faults", "page faults, 1 MB"),
)
NOTE = "Start as above, not as PID 1, with an environment of 1 KB and of 1 MB in 4,000 variables."


def measure(programs: Sequence[Program], small: Table, rounds: int, slow_every: int) -> Table:
    """The starts of `small` again, with a large environment."""
    found = samples(programs, rounds, min(slow_every, rounds), is_init=False, environment=large_environment())
    wall, faults = net(found, 2), net(found, 4)
    rows: dict[str, Row] = {
        name: {
            "small": small.rows[name]["start"],
            "large": wall[name] / MICROSECOND,
            "faults": faults[name],
        }
        for name in wall
        if name != NO_INIT
    }
    return Table("environment", "Growth: the environment", NOTE, COLUMNS, rows)
