"""The orders: what is listed lies side by side, or is known already, and the lists fit the program."""

from __future__ import annotations

import subprocess
from pathlib import Path

from freezing import blocks, lookups, order
from freezing.elf import Stage

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
    wish = blocks.order(made, {name for _, _, name in made[::50]})
    program = frozen_program(PROGRAM, stage, ordered, wish)
    placed = blocks.read((ordered / "program.blocks").read_bytes())
    assert sorted(name for _, _, name in placed) == sorted(name for _, _, name in made)
    listed = blocks.sizes(wish).keys()
    assert {name for _, _, name in placed[: len(listed)]} == listed
    assert subprocess.run([program], check=False, timeout=60).returncode == 7


def test_most_of_the_listed_blocks_are_there(stage: Path) -> None:
    """Changes of the program make the list stale by and by; then `make order` writes a new one."""
    made = blocks.read((stage.parent / "pyinit.blocks").read_bytes())
    listed = blocks.sizes((ROOT / "build" / "blocks.order").read_text())
    assert len(listed.keys() & {name for _, _, name in made}) > len(listed) / 2


def test_listed_lookups_are_made_at_build_time(stage: Path, tmp_path: Path) -> None:
    """And what is listed but not there does no harm."""
    known = "Door open\nDoor lock\nWindow open\nmodule getpid\n"
    missed = []
    for name, lines in ("unknown", ""), ("known", known):
        (tmp_path / name).mkdir()
        program = frozen_program(PROGRAM, stage, tmp_path / name, known=lines)
        assert subprocess.run([program], check=False, timeout=60).returncode == 7
        missed.append(_missed(program, stage))
    assert missed[0] - missed[1] == {("Door", "open"), ("module", "getpid")}
    assert missed[1] <= missed[0]


def _missed(program: Path, stage: Path) -> set[lookups.Lookup]:
    """What a run looked for beyond the cache of methods."""
    beyond = Stage(stage.read_bytes()).symbol("find_name_in_mro")
    return {
        lookups.seen(pid, registers[order.FIRST_ARGUMENT], registers[order.SECOND_ARGUMENT])
        for pid, registers in order.steps(str(program), [])
        if registers[order.INSTRUCTION_POINTER] == beyond
    }
