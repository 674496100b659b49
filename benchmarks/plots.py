"""The plots: a bar for each program. The same figures give the same file, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.programs import FLOOR, PEERS
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
    is_in_summary: bool = False

    def column_of(self, tables: Mapping[str, Table]) -> Column:
        """The column, in the table that was measured."""
        return next(column for column in tables[self.table].columns if column.key == self.column)

    def figures(self, tables: Mapping[str, Table]) -> dict[str, float]:
        """Each program's; of those that have none, and of a table that was not measured, nothing."""
        rows = tables[self.table].rows if self.table in tables else {}
        found = {name: row.get(self.column) for name, row in rows.items()}
        return {name: value for name, value in found.items() if value is not None}


PLOTS = (
    Plot("start.svg", "Start as PID 1, µs", "start_pid1", "start", is_in_summary=True),
    Plot("start-without-cpuid.svg", "Start as PID 1, without the cost of CPUID, µs", "start_pid1", "without_cpuid"),
    Plot("exit.svg", "From the payload's exit to the init's, µs", "start_pid1", "exit", is_in_summary=True),
    Plot("environment.svg", "Start with an environment of 1 MB, µs", "environment", "large"),
    Plot("forward.svg", "Forwarding a signal, µs", "forward", "median", is_in_summary=True),
    Plot("processes.svg", "Forwarding among many orphans, µs", "processes", "crowd", is_in_summary=True),
    Plot("reap.svg", "CPU time per orphan, µs", "reap_10000", "processor", is_in_summary=True),
    Plot("memory.svg", "Pss per instance, many running, KB", "memory", "pss_many", is_in_summary=True),
    Plot("wake-ups.svg", "Wake-ups per second while idle", "idle", "wake_ups"),
)
SUMMARY = "summary.svg"
ACROSS = 3  # plots side by side
COMPARED = (SUBJECT, *PEERS, FLOOR)


def drawable(tables: Mapping[str, Table]) -> Iterator[Plot]:
    """The plots for which there are figures."""
    return (plot for plot in PLOTS if plot.figures(tables))


def draw(folder: Path, tables: Mapping[str, Table]) -> None:
    """All plots that have figures into the folder; what another run has drawn of the others is removed."""
    for file in (SUMMARY, *(plot.file for plot in PLOTS)):
        (folder / file).unlink(missing_ok=True)
    # Without a salt of our own the names inside the file are random.
    with mpl.rc_context({"svg.hashsalt": "pyinit", "svg.fonttype": "none", "font.size": 9}):
        for plot in drawable(tables):
            figures = plot.figures(tables)
            figure = _figure(7, 0.6 + 0.3 * len(figures))
            _bars(figure.subplots(), plot.title, plot.column_of(tables), figures)
            figure.savefig(folder / plot.file, metadata=METADATA)
        chosen = [plot for plot in drawable(tables) if plot.is_in_summary]
        if chosen:
            _draw_summary(folder / SUMMARY, chosen, tables)


def _draw_summary(file: Path, chosen: Sequence[Plot], tables: Mapping[str, Table]) -> None:
    """The plots that matter most beside each other, of the programs that somebody would install, and the floor."""
    lines = -(-len(chosen) // ACROSS)
    figure = _figure(10, 1.9 * lines)
    places = figure.subplots(lines, ACROSS, squeeze=False).flat
    for place in places:
        place.set_visible(False)
    for place, plot in zip(figure.axes, chosen, strict=False):
        place.set_visible(True)
        figures = {name: value for name, value in plot.figures(tables).items() if name in COMPARED}
        _bars(place, plot.title, plot.column_of(tables), figures)
    figure.savefig(file, metadata=METADATA)


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained")


def _bars(axes: Axes, title: str, column: Column, figures: Mapping[str, float]) -> None:
    others = [value for name, value in figures.items() if name in COMPARED]
    longest = max(figures.values())
    limit = min(longest, LONGEST * max(others, default=longest))
    if limit <= 0:
        limit = 1.0
    names = list(figures)[::-1]
    # A difference between two times may come out below zero: it has no bar then, but its figure.
    lengths = [min(max(figures[name], 0.0), limit) for name in names]
    bars = axes.barh(names, lengths, color=[OURS if name == SUBJECT else OTHERS for name in names])
    labels = [column.text(figures[name]) + (" (cut)" if figures[name] > limit else "") for name in names]
    axes.bar_label(bars, labels, padding=3)
    axes.set_xlim(0, limit * 1.25)
    axes.set_title(title, loc="left", fontsize="medium")
    axes.set_xticks([])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
