"""Runs the stage once: it starts Python, imports the program, and writes itself down."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from freezing.elf import Stage
from freezing.profiling import attribute_types, blocks
from freezing.steps import run

SPARE = 256 * 1024  # bytes behind the snapshot that run mode gets without a system call (build/dump/allocator.c)


class Orders(NamedTuple):
    """What is known of runs, as the texts of build/profile/*.order: without it the program is right, but slower."""

    blocks: str = ""
    sections: str = ""
    sites: str = ""


def freeze(stage: Path, table: bytes, target: Path, work: Path, orders: Orders) -> None:
    """Write the finished program to `target`. Raises BuildError if it cannot be imported."""
    inputs = {
        "modules": table,
        "order": blocks.packed(orders.blocks),
        "sites": attribute_types.packed(orders.sites),
    }
    words = [work / f"{target.name}.{kind}" for kind in (*inputs, "snapshot", "blocks")]
    for path, content in zip(words, inputs.values(), strict=False):
        path.write_bytes(content)
    log = work / "logs" / f"{target.name}.log"
    run(f"start and import {target.name}", [stage, *words], log, None, {})
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    snapshot = words[-2].read_bytes()
    beside.write_bytes(Stage(stage.read_bytes()).finished(snapshot, SPARE))
    beside.chmod(0o755)
    beside.rename(target)


def check(program: Path, work: Path) -> None:
    """Run the frozen self-test (build/checks/selftest.py). Raises BuildError if it fails."""
    words: list[str | bytes | Path] = [program, b"caf\xe9"]  # not UTF-8: every byte must arrive
    environment = {"PATH": os.defpath, "KEPT": "yes", "GONE": "1", "PID": "1"}
    run("self-test of the restored interpreter", words, work / "logs" / "selftest.log", None, environment)
