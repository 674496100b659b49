"""The order of the heap: what is listed lies side by side, and the list fits the program."""

from __future__ import annotations

import subprocess
from pathlib import Path

from freezing import blocks

from tests.frozen.programs import frozen_program
from tests.harness import ROOT

PROGRAM = """
import posix

class Door:
    def open(self):
        return posix.getpid() > 0

def main():
    return 6 + Door().open()
"""


def test_listed_blocks_begin_the_heap(stage: Path, tmp_path: Path) -> None:
    """And the program does not care."""
    folders = as_it_comes, ordered = tmp_path / "as-it-comes", tmp_path / "ordered"
    for folder in folders:
        folder.mkdir()
    frozen_program(PROGRAM, stage, as_it_comes)
    made = blocks.read((as_it_comes / "program.blocks").read_bytes())
    order = blocks.order(made, {name for _, _, name in made[::50]})
    program = frozen_program(PROGRAM, stage, ordered, order)
    placed = blocks.read((ordered / "program.blocks").read_bytes())
    assert sorted(name for _, _, name in placed) == sorted(name for _, _, name in made)
    listed = blocks.sizes(order).keys()
    assert {name for _, _, name in placed[: len(listed)]} == listed
    assert subprocess.run([program], check=False, timeout=60).returncode == 7


def test_most_of_the_listed_blocks_are_there(stage: Path) -> None:
    """Changes of the program make the list stale by and by; then `make order` writes a new one."""
    made = blocks.read((stage.parent / "pyinit.blocks").read_bytes())
    listed = blocks.sizes((ROOT / "build" / "blocks.order").read_text())
    assert len(listed.keys() & {name for _, _, name in made}) > len(listed) / 2
