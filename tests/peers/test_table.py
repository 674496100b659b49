"""Every cell of README's table is what the installed programs do here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.peers.commands import AS_PID1
from tests.peers.probes import PROBES, Tools
from tests.support.requirements import frozen_file, installed
from tests.support.types import OpenTerminal, Start
from tests.support.wide import whole
from tools.tree import ROOT


def table() -> list[list[str]]:
    """The cells of README's table, line by line; the first line is the heading."""
    found = re.search(r"^\| \| pyinit \|.*\n(?:\|.*\n)+", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert found
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[0].splitlines()]
    return [lines[0], *lines[2:]]


NAMES = table()[0][1:]
CELLS = [
    pytest.param(line[0], name, cell, id=f"{line[0]}: {name}", marks=() if name == "pyinit" else whole)
    for line in table()[1:]
    for name, cell in zip(NAMES, line[1:], strict=True)
]


def found(name: str) -> str:
    """The program's file."""
    return str(frozen_file()) if name == "pyinit" else installed(name)


@pytest.mark.parametrize("kind", ["frozen"], indirect=True)
@pytest.mark.parametrize(("label", "name", "cell"), CELLS)
def test_each_cell_of_readmes_table_is_what_the_program_does(
    label: str, name: str, cell: str, start: Start, terminal: OpenTerminal, tmp_path: Path
) -> None:
    assert PROBES[label](Tools(name, found(name), start, terminal, tmp_path)) == cell


def test_readmes_table_has_a_row_for_each_probe_and_a_column_for_each_program() -> None:
    """Each probe has its row, and each of the programs that it is compared with its column."""
    assert [line[0] for line in table()[1:]] == list(PROBES)
    assert ["pyinit", *AS_PID1] == NAMES
