"""What the measured programs inherit: one CPU, and an environment of a known size."""

from __future__ import annotations

import os
from collections.abc import Mapping

from benchmarks.helpers import WORK
from benchmarks.units import KILOBYTE
from tools.namespace import PATH

SCRATCH = WORK / "tmp"  # where PyInstaller's onefile unpacks itself
# About 1 KB in 16 variables: what a container usually has.
ENVIRONMENT: Mapping[str, str] = {
    "PATH": PATH,
    "TMPDIR": str(SCRATCH),
} | {f"VARIABLE_{number:02}": "x" * 48 for number in range(14)}


def large_environment(variables: int = 4000, size: int = KILOBYTE * KILOBYTE) -> dict[str, str]:
    """An environment of about `size` bytes in so many variables more."""
    return dict(ENVIRONMENT) | {f"LARGE_{number:04}": "x" * (size // variables - 12) for number in range(variables)}


def stay_on_one_cpu() -> int:
    """From now on we, and all that we start, run on one CPU; its number. The last one: the first has the interrupts."""
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return cpu
