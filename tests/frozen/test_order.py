"""The orders: what is listed lies side by side, or is known already, and the lists fit the program."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from freezing import linkmap
from freezing.profiling import attribute_types, blocks, profile
from freezing.profiling.access_trace import Used
from freezing.snapshot import Orders

from tests.frozen.programs import frozen_program
from tools.tree import ROOT

PROGRAM = """
import posix

class Door:
    __slots__ = ("width",)

    def open(self, width):
        self.width = width
        return self.width

class Window(Door):
    __slots__ = ()

def main():
    return 3 + Door().open(4) + Window().open(0 * posix.getpid())
"""


def test_the_blocks_of_the_order_lie_side_by_side_in_the_heap(stage: Path, tmp_path: Path) -> None:
    """In the order of the list, those that are written apart from the others; and the program does not care."""
    folders = as_it_comes, ordered = tmp_path / "as-it-comes", tmp_path / "ordered"
    for folder in folders:
        folder.mkdir()
    frozen_program(PROGRAM, stage, as_it_comes)
    made = blocks.read((as_it_comes / "program.blocks").read_bytes())
    times = Counter(name for _, _, name in made)
    small = [address for address, size, name in made if size < 100 and times[name] == 1]
    written, read = small[::-400], small[::-90]
    used = Used()
    used.read, used.written = dict.fromkeys(read), dict.fromkeys(written)
    wish = blocks.order(made, used)
    program = frozen_program(PROGRAM, stage, ordered, Orders(wish))
    placed = blocks.read((ordered / "program.blocks").read_bytes())
    assert sorted(name for _, _, name in placed) == sorted(name for _, _, name in made)
    names = {address: name for address, _, name in made}
    at = {name: address for address, _, name in placed}
    for kind, addresses in ((blocks.WRITTEN, written), (blocks.READ, [each for each in read if each not in written])):
        assert [*blocks.sizes(wish, kind)] == [names[each] for each in addresses]
        places = [at[names[each]] for each in addresses]
        assert places == sorted(places)
        assert places[-1] - places[0] < blocks.area(wish, kind)
    assert subprocess.run([program], check=False, timeout=60).returncode == 7


def test_most_blocks_of_the_order_exist_in_this_build(stage: Path) -> None:
    """Changes of the program make the list stale by and by; then `make order` writes a new one."""
    made = blocks.read((stage.parent / "pyinit.blocks").read_bytes())
    text = (ROOT / "build" / "profile" / "blocks.order").read_text()
    listed = {name for kind in blocks.KINDS for name in blocks.sizes(text, kind)}
    assert len(listed & {name for _, _, name in made}) > len(listed) / 2


def test_most_sections_of_the_order_exist_in_this_build(stage: Path) -> None:
    """The same, for the linker's list."""
    there = {section for _, _, section in linkmap.sections(stage.with_suffix(".map").read_text())}
    text = (ROOT / "build" / "profile" / "sections.order").read_text()
    listed = {tuple(line.split()[1:3]) for line in text.splitlines() if not line.startswith("#")}
    assert len(listed & there) > len(listed) / 2


@pytest.mark.parametrize("kind", ["Door", "Window"])
def test_the_sites_of_the_order_know_their_type(stage: Path, tmp_path: Path, kind: str) -> None:
    """An object of another type is asked as always, and what is listed but not there does no harm."""
    reads_and_writes = {("program.py", "Door.open", "width", each) for each in ("Door", "Window")}
    calls = {("program.py", "main", "open", each) for each in ("Door", "Window")}
    assert asked(ran(stage, tmp_path / "unknown", Orders()), stage) == reads_and_writes | calls
    listed = {site for site in reads_and_writes | calls if site[-1] == kind}
    gone = {("program.py", "Door.open", "no", kind), ("program.py", "main", "no", "Room"), ("no.py", "f", "no", kind)}
    known = ran(stage, tmp_path / "known", Orders(sites=attribute_types.order(listed | gone)))
    assert asked(known, stage) == (reads_and_writes | calls) - listed


def ran(stage: Path, folder: Path, orders: Orders) -> Path:
    """The program, frozen, which works."""
    folder.mkdir()
    program = frozen_program(PROGRAM, stage, folder, orders)
    assert subprocess.run([program], check=False, timeout=60).returncode == 7
    return program


def asked(program: Path, stage: Path) -> set[attribute_types.Site]:
    """Where a run asked for an attribute's place."""
    tracer = profile.Tracer(program, stage)
    tracer.run([], ordinary=True)
    return set(tracer.sites)
