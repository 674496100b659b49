"""The benchmarks work: what is measured, what is written, and that what is published is what was measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks import compare, plots, readme, report
from benchmarks.helpers import compiled
from benchmarks.measures import cpuids
from benchmarks.programs import PEERS
from benchmarks.report import Results
from benchmarks.tables import Column, Table
from benchmarks.tracing import traced
from tests.support import document_marks
from tests.support.requirements import frozen_file
from tools.tree import ROOT

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


def test_a_short_run_of_the_benchmarks_measures_everything(tmp_path: Path) -> None:
    """Every table has every program and each of its figures; every plot of a table is there."""
    frozen_file()
    programs = ["pyinit", *PEERS, "floor"]
    done = bench("--quick", "--output", str(tmp_path), "--only", *programs)
    assert done.returncode == 0, done.stderr
    tables = json.loads((tmp_path / "results.json").read_text())["tables"]
    assert set(tables) == TABLES
    for key, table in tables.items():
        for name in programs:
            assert set(table["rows"][name]) == {column["key"] for column in table["columns"]}, (key, name)
            assert None not in table["rows"][name].values(), (key, name)
    agree(tmp_path)
    # The same from what was measured, without measuring.
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for file in [*tmp_path.glob("*.svg"), tmp_path / "README.md"]:
        file.unlink()
    assert bench("--again", "--output", str(tmp_path)).returncode == 0
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    for plot in plots.PLOTS:
        if plot.table in tables:
            assert ET.parse(tmp_path / plot.file).getroot().tag.endswith("svg")


def agree(folder: Path) -> None:
    """The page and the plots say what results.json says, no more and no less."""
    results = report.read(folder / "results.json")
    page = (folder / "README.md").read_text()
    assert page == report.markdown(results)
    drawn = {plot.file: plot for plot in plots.drawable(results.tables)}
    assert {file.name for file in folder.glob("*.svg")} == {*drawn, plots.SUMMARY}
    assert re.findall(r"\]\((.*)\)", page) == [plot.file for plot in by_table(list(drawn.values()), results.tables)]
    for name, plot in drawn.items():
        column = plot.column_of(results.tables)
        labels = {element.text for element in ET.parse(folder / name).iter("{http://www.w3.org/2000/svg}text")}
        wanted = {column.text(figure) for figure in plot.figures(results.tables).values()}
        assert wanted <= {(label or "").removesuffix(" (cut)") for label in labels}, name


def by_table(chosen: list[plots.Plot], tables: Iterable[str]) -> list[plots.Plot]:
    """The plots in the order of their tables in the report."""
    return [plot for key in tables for plot in chosen if plot.table == key]


def test_the_published_figures_are_those_that_were_measured() -> None:
    """docs/benchmarks and README's plot, if there are any, are what results.json makes of them."""
    found = document_marks.between(ROOT / "README.md", readme.MARK)
    if (compare.OUTPUT / "results.json").exists():
        agree(compare.OUTPUT)
        machine = report.read(compare.OUTPUT / "results.json").machine
        assert found == readme.part(machine, "docs/benchmarks")
    else:
        assert found == ""


def test_cpuids_are_counted_step_by_step() -> None:
    """As many as there are: those of a program that executes 100 and, besides, none of what a static musl has."""
    stopwatch = compiled("stopwatch")
    assert cpuids.may_have_any(stopwatch)
    assert traced("stepper", [str(stopwatch), "cpuid"]) == [100]


def test_a_program_without_cpuid_in_its_code_need_not_be_stepped_through() -> None:
    """The floor has none, and really executes none; what is linked with libc has them in the linker."""
    floor = compiled("floor")
    assert not cpuids.may_have_any(floor)
    assert traced("stepper", [str(floor), str(compiled("payload"))]) == [0]
    assert cpuids.may_have_any(Path("/usr/bin/tini"))


def test_a_plot_without_figures_is_left_out(tmp_path: Path) -> None:
    """So is the report's link to it, and what an earlier run has left there."""
    rows = {"pyinit": {"start": 1.0, "without_cpuid": None}, "tini": {"start": 2.0, "without_cpuid": None}}
    columns = [Column("start", "start"), Column("without_cpuid", "without")]
    tables = {"start_pid1": Table("start_pid1", "", "", columns, rows)}
    (tmp_path / "start-without-cpuid.svg").touch()
    plots.draw(tmp_path, tables)
    report.write(tmp_path, Results("make bench", {}, ["pyinit", "tini"], tables))
    assert {file.name for file in tmp_path.iterdir()} == {"start.svg", "summary.svg", "README.md", "results.json"}
    assert re.findall(r"\]\((.*)\)", (tmp_path / "README.md").read_text()) == ["start.svg"]


@pytest.mark.parametrize("figures", [(-14.0, 900.0), (-14.0, -2.0)])
def test_a_figure_below_zero_is_on_its_plot(tmp_path: Path, figures: tuple[float, float]) -> None:
    """Regression: a difference of two times can be one, in a short run on a busy machine; its label was not drawn."""
    rows = {name: {"wake_ups": figure} for name, figure in zip(("pyinit", "tini"), figures, strict=True)}
    plots.draw(tmp_path, {"idle": Table("idle", "", "", [Column("wake_ups", "wake-ups")], rows)})
    drawn = (tmp_path / "wake-ups.svg").read_text()
    assert all(f">{figure:,.0f}</text>" in drawn for figure in figures)


def test_the_benchmarks_refuse_to_run_without_a_peer(tmp_path: Path) -> None:
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
