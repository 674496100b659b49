"""What `make order` sees of a run: its instructions, and what they read and write, in the payload's process too."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from freezing import linkmap
from freezing.elf import Stage
from freezing.profiling import profile
from freezing.profiling.operands import Operands

from tools.compiled import compiled

ACCESSES = Path(__file__).with_name("accesses.S")
COMPILER = ("gcc", "-nostdlib", "-static", "-no-pie")


@pytest.fixture(scope="module")
def program() -> Path:
    """tests/frozen/accesses.S, assembled."""
    return compiled(ACCESSES, COMPILER)


def test_the_tracer_sees_reads_and_writes(program: Path) -> None:
    symbols = Stage(program.read_bytes())
    operands = Operands(program)
    seen: dict[bool, set[int]] = {False: set(), True: set()}
    for _, registers in profile.steps(str(program), []):
        for address, is_written in operands.used(registers[profile.INSTRUCTION_POINTER], registers):
            seen[is_written].add(address)

    array = symbols.symbol("array")
    read = {symbols.symbol(name) for name in ("direct", "relative", "pointer", "copied", "path")} | {array + 8}
    written = {symbols.symbol(name) for name in ("changed", "by_child")} | {array + 24, array + 48}
    data = range(symbols.symbol("path"), array + 64)
    assert seen[True] & {*data} == written
    assert seen[False] & {*data} == read


def test_the_linkers_map_has_every_section(stage: Path) -> None:
    """Where the symbols are that lie in them."""
    places = {section: address for address, _, section in linkmap.sections(stage.with_suffix(".map").read_text())}
    symbols = Stage(stage.read_bytes())
    for file, section, symbol in (
        ("start.o", ".text.pyinit_start", "pyinit_start"),
        ("libc.a:strlen.lo", ".text.strlen", "strlen"),
        ("libpyinit.a:boolobject.o", ".data.PyBool_Type", "PyBool_Type"),
    ):
        assert places[file, section] == symbols.symbol(symbol)


def test_a_pattern_for_the_linker_names_one_section(stage: Path, tmp_path: Path) -> None:
    """As the linker reads them."""
    (tmp_path / "each.ld").write_text(
        f"SECTIONS {{ .chosen : {{ {linkmap.pattern(('libc.a:strlen.lo', '.text.strlen'))} }} }}\n"
    )
    libc = stage.parent / "objects" / "libc.a"
    map_file = tmp_path / "map"
    command = ["ld", "-T", str(tmp_path / "each.ld"), "-u", "strlen", "-e", "0", f"-Map={map_file}"]
    subprocess.run([*command, "-o", str(tmp_path / "linked"), str(libc)], check=True, timeout=60)
    text = map_file.read_text()
    chosen = text[text.index("\n.chosen") :]
    assert "strlen" in chosen.split("\n.", 2)[1]
