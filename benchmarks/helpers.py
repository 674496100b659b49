"""The C programs of this folder, compiled: static against musl, so that their own start costs next to nothing."""

from __future__ import annotations

from pathlib import Path

from tools.compiled import compiled as compiled_from
from tools.tree import ROOT

WORK = ROOT / ".work" / "benchmarks"
COMPILER = ("musl-gcc", "-static", "-O2", "-Wall", "-Wextra", "-Werror")
# musl's headers have no ptrace(2) registers together with the kernel's <asm/prctl.h>.
GLIBC = ("gcc", *COMPILER[1:])
COMPILERS = {"tracer": GLIBC, "stepper": GLIBC}


def compiled(name: str) -> Path:
    """The program made from NAME.c; raises CalledProcessError when it cannot be compiled."""
    return compiled_from(ROOT / "benchmarks" / f"{name}.c", COMPILERS.get(name, COMPILER))
