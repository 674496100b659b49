"""Idleness: what an init does while nothing happens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.instances import Instance, settle
from benchmarks.programs import Program
from benchmarks.tables import Column, Table
from benchmarks.units import MICROSECONDS

COLUMNS = (
    Column("wake_ups", "wake-ups per second", 1),
    Column("processor", "CPU time per second, µs", 1),
)


def measure(programs: Sequence[Program], seconds: float) -> Table:
    """All of them at the same time."""
    with ExitStack() as stack:
        instances = [stack.enter_context(Instance(program, "pause")) for program in programs]
        settle()
        before = [(each.wake_ups(), each.processor_time()) for each in instances]
        begun = time.monotonic()
        time.sleep(seconds)
        after = [(each.wake_ups(), each.processor_time()) for each in instances]
        passed = time.monotonic() - begun
    rows = {
        instance.program.name: {
            "wake_ups": (later[0] - earlier[0]) / passed,
            "processor": (later[1] - earlier[1]) / passed * MICROSECONDS,
        }
        for instance, earlier, later in zip(instances, before, after, strict=True)
    }
    return Table("idle", "Idle", f"Over {seconds:g} s, while the payload sleeps.", COLUMNS, rows)
