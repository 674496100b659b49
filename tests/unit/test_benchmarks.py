"""The benchmarks work: a short run writes every table and plot, and an init that is missing is an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks import plots
from benchmarks.tables import Column, Table
from tests.harness import PROGRAMS, ROOT

PEERS = ["tini", "tini-static", "dumb-init", "catatonit"]
TABLES = {
    "start_pid1",
    "start",
    "environment",
    "forward",
    "processes",
    "reap_1000",
    "idle",
    "memory",
    "size",
    "calls",
}


def bench(*words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the benchmarks with these words; with `path` as PATH."""
    environment = os.environ | ({"PATH": path} if path is not None else {})
    command = [sys.executable, "-m", "benchmarks.compare", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300)


def test_a_short_run_measures_everything(tmp_path: Path) -> None:
    """Every table has every program and each of its figures; every plot of a table is there."""
    if not Path(PROGRAMS["frozen"][0]).exists():
        text = "dist/pyinit is missing; make dist"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(text)
    programs = ["pyinit", *PEERS, "floor"]
    done = bench("--quick", "--output", str(tmp_path), "--only", *programs)
    assert done.returncode == 0, done.stderr
    tables = json.loads((tmp_path / "results.json").read_text())["tables"]
    assert set(tables) == TABLES
    for key, table in tables.items():
        for name in programs:
            assert set(table["rows"][name]) == set(table["columns"]), (key, name)
            # Only a processor that does not let us count CPUID instructions leaves gaps.
            gaps = {column for column, figure in table["rows"][name].items() if figure is None}
            assert gaps <= {"cpuids", "without_cpuid"}, (key, name)
    report = (tmp_path / "README.md").read_text()
    for table in tables.values():
        assert f"## {table['title']}\n" in report
    for plot in plots.PLOTS:
        if plot.table in tables:
            assert f"]({plot.file})" in report
            assert ET.parse(tmp_path / plot.file).getroot().tag.endswith("svg")


def test_a_missing_init_is_an_error(tmp_path: Path) -> None:
    """Nothing is left out without a word."""
    done = bench("--quick", "--output", str(tmp_path), "--only", "tini", path=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "bench: tini is not installed: tools/need tini dumb-init catatonit\n"
    assert not list(tmp_path.iterdir())


def test_the_same_figures_give_the_same_plots(tmp_path: Path) -> None:
    """A plot in the repository changes only when its figures do."""
    rows = {"pyinit": {"wake_ups": 0.0}, "tini": {"wake_ups": 6.5}, "source": {"wake_ups": 900.0}}
    table = Table("idle", "", "", [Column("wake_ups", "wake-ups")], rows)
    drawn = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        plots.draw(folder, {"idle": table})
        drawn.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert drawn[0]
    assert drawn[0] == drawn[1]
