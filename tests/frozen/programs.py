"""Programs of one module, frozen for a test."""

from __future__ import annotations

from pathlib import Path

from freezing import modules, snapshot, sources

from tests.harness import ROOT


def frozen_program(text: str, stage: Path, folder: Path, order: str = "", known: str = "") -> Path:
    """Freeze a program of one module; `order` and `known` are as build/blocks.order and build/lookups.order have it."""
    pins = sources.pinned(ROOT, folder)
    encodings = modules.from_file(ROOT / "build" / "stand_ins" / "encodings.py")
    program = modules.Module("program", text.encode(), "program.py")
    table = modules.table(modules.bootstrap(pins["cpython"]), [encodings, program], ["program"])
    target = folder / "program"
    snapshot.freeze(stage, table, target, folder, order, known)
    return target
