"""The plots: a row of bars for each program. The same figures give the same file, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.tables import Column, Table
from benchmarks.targets import SUBJECT

OURS, OTHERS = "#1f6f8b", "#9aa5ad"
# Date and version would make two files of the same figures differ.
METADATA = {"Date": None, "Creator": None}
LONGEST = 8  # times tini's: longer bars would leave nothing to see of the others, and are cut


class Plot(NamedTuple):
    """One column of one table."""

    file: str
    title: str
    table: str
    column: str

    def figures(self, tables: Mapping[str, Table]) -> dict[str, float]:
        """Each program's; of those that have none, and of a table that was not measured, nothing."""
        rows = tables[self.table].rows if self.table in tables else {}
        found = {name: row.get(self.column) for name, row in rows.items()}
        return {name: value for name, value in found.items() if value is not None}


PLOTS = (
    Plot("start.svg", "Start as PID 1, µs", "start_pid1", "start"),
    Plot("start-without-cpuid.svg", "Start as PID 1, CPUID's cost taken out, µs", "start_pid1", "without_cpuid"),
    Plot("exit.svg", "From the payload's exit to the init's, as PID 1, µs", "start_pid1", "exit"),
    Plot("environment.svg", "Start with an environment of 1 MB, µs", "environment", "large"),
    Plot("forward.svg", "Forwarding a signal, median, µs", "forward", "median"),
    Plot("reap.svg", "Processor time for reaping an orphan, of 10,000, µs", "reap_10000", "processor"),
    Plot("memory.svg", "Memory: Pss of each of many instances, KB", "memory", "pss_many"),
    Plot("wake-ups.svg", "Wake-ups a second while idle", "idle", "wake_ups"),
)


def drawable(tables: Mapping[str, Table]) -> Iterator[Plot]:
    """The plots for which there are figures."""
    return (plot for plot in PLOTS if plot.figures(tables))


def draw(folder: Path, tables: Mapping[str, Table]) -> None:
    """All plots that have figures into the folder; what another run has drawn of the others is removed."""
    for plot in PLOTS:
        (folder / plot.file).unlink(missing_ok=True)
    # Without a salt of our own the names inside the file are random.
    with mpl.rc_context({"svg.hashsalt": "pyinit", "svg.fonttype": "none", "font.size": 9}):
        for plot in drawable(tables):
            column = next(column for column in tables[plot.table].columns if column.key == plot.column)
            _draw(folder / plot.file, plot.title, column, plot.figures(tables))


def _draw(file: Path, title: str, column: Column, figures: Mapping[str, float]) -> None:
    others = [value for name, value in figures.items() if name not in ("source", "onefile")]
    longest = max(figures.values())
    limit = min(longest, LONGEST * max(others, default=longest)) or 1.0
    figure = Figure(figsize=(7, 0.6 + 0.3 * len(figures)), layout="constrained")
    axes = figure.subplots()
    names = list(figures)[::-1]
    lengths = [min(figures[name], limit) for name in names]
    bars = axes.barh(names, lengths, color=[OURS if name == SUBJECT else OTHERS for name in names])
    labels = [column.text(figures[name]) + (" (cut)" if figures[name] > limit else "") for name in names]
    axes.bar_label(bars, labels, padding=3)
    axes.set_xlim(0, limit * 1.15)
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata=METADATA)
