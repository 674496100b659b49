"""Programs of one module, frozen for a test."""

from __future__ import annotations

from pathlib import Path

from freezing import modules, snapshot, sources

from tools.tree import ROOT


def frozen_program(text: str, stage: Path, folder: Path, orders: snapshot.Orders | None = None) -> Path:
    """Freeze a program of one module, program.py; `orders` are as build/profile/*.order have them."""
    pins = sources.pinned(ROOT, folder)
    encodings = modules.from_file(ROOT / "build" / "cpython" / "stand_ins" / "encodings.py")
    program = modules.Module("program", text.encode(), "program.py")
    table = modules.table(modules.bootstrap(pins["cpython"]), [encodings, program], ["program"])
    target = folder / "program"
    snapshot.freeze(stage, table, target, folder, orders or snapshot.Orders())
    return target
