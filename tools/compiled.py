"""Compiles the C programs of the tests and of the benchmarks, once for every state of their source."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.tree import ROOT

FOLDER = ROOT / ".work" / "compiled"


def compiled(source: Path, compiler: Sequence[str]) -> Path:
    """The program made from a C file by a compiler with its options; CalledProcessError if it cannot be made."""
    files = [source, *sorted(source.parent.glob("*.h"))]
    inputs = [" ".join(compiler).encode(), *(file.read_bytes() for file in files)]
    digest = hashlib.sha256(b"\0".join(inputs)).hexdigest()[:16]
    program = FOLDER / f"{source.stem}-{digest}"
    if not program.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        # Another process may do the same now: each writes its own file, the last one stays.
        own = program.with_suffix(f".{os.getpid()}")
        subprocess.run([*compiler, "-o", str(own), str(source)], check=True, timeout=60)
        own.replace(program)
    return program
