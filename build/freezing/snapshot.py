"""Runs the stage once: it starts Python, imports the program, and writes itself down."""

from __future__ import annotations

import os
from pathlib import Path

from freezing import blocks, lookups
from freezing.elf import Stage
from freezing.steps import run

ROOM = 256 * 1024  # as in build/boot/arena.c


def freeze(stage: Path, table: bytes, target: Path, work: Path, order: str = "", known: str = "") -> None:
    """Write the finished program to `target`.

    The heap's blocks are in the order of build/blocks.order's text, the cache of methods knows build/lookups.order's.

    Raises BuildError if the program cannot be imported.
    """
    kinds = ("modules", "order", "lookups", "snapshot", "blocks")
    modules, wish, cached, snapshot, made = (work / f"{target.name}.{kind}" for kind in kinds)
    modules.write_bytes(table)
    wish.write_bytes(blocks.packed(order))
    cached.write_bytes(lookups.packed(known))
    log = work / "logs" / f"{target.name}.log"
    run(f"start and import {target.name}", [stage, modules, wish, cached, snapshot, made], log, None, {})
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    beside.write_bytes(Stage(stage.read_bytes()).finished(snapshot.read_bytes(), ROOM))
    beside.chmod(0o755)
    beside.rename(target)


def check(program: Path, work: Path) -> None:
    """Run the frozen self-test (build/checks/selftest.py). Raises BuildError if it fails."""
    words: list[str | bytes | Path] = [program, b"caf\xe9"]  # not UTF-8: every byte must arrive
    environment = {"PATH": os.defpath, "KEPT": "yes", "GONE": "1", "PID": "1"}
    run("self-test of the restored interpreter", words, work / "logs" / "selftest.log", None, environment)
