"""The C programs of this folder, compiled: static against musl, so that their own start costs next to nothing."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORK = ROOT / ".work" / "benchmarks"
COMPILER = ("musl-gcc", "-static", "-O2", "-Wall", "-Wextra", "-Werror")
# musl's headers have no ptrace(2) registers together with the kernel's <asm/prctl.h>.
GLIBC = ("gcc", *COMPILER[1:])
COMPILERS = {"tracer": GLIBC, "stepper": GLIBC}


def compiled(name: str) -> Path:
    """The program made from NAME.c; raises CalledProcessError when it cannot be compiled."""
    source = HERE / f"{name}.c"
    files = [source, *sorted(HERE.glob("*.h"))]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    program = WORK / f"{name}-{digest}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        # Another run may do the same now: each writes its own file, the last one stays.
        own = program.with_suffix(f".{os.getpid()}")
        subprocess.run([*COMPILERS.get(name, COMPILER), "-o", str(own), str(source)], check=True, timeout=60)
        own.replace(program)
    return program
