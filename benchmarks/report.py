"""The report: results.json, and README.md made from the same figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.plots import drawable
from benchmarks.programs import Program
from benchmarks.tables import REFERENCE, Column, Table
from benchmarks.targets import SUBJECT, defeats, verdicts

PEERS = ("tini", "tini-static", "dumb-init", "catatonit")
WHAT = {
    "pyinit": "the frozen file, dist/pyinit",
    "source": "the same program from source, run by CPython",
    "onefile": "the same program as PyInstaller's own `--onefile`",
    "tini": "Debian's",
    "tini-static": "Debian's",
    "dumb-init": "Debian's",
    "catatonit": "Debian's",
    "floor": "the least that a C program must do to be an init (benchmarks/floor.c), static against musl; "
    "no options, no terminal, no messages, no grace period",
}


def write(
    folder: Path, machine: Mapping[str, str], programs: Iterable[Program], tables: Mapping[str, Table], command: str
) -> None:
    """results.json and README.md into the folder."""
    (folder / "results.json").write_text(_json(machine, tables, command))
    lines = _markdown(machine, [program.name for program in programs], tables, command)
    (folder / "README.md").write_text("\n".join(lines) + "\n")


def _json(machine: Mapping[str, str], tables: Mapping[str, Table], command: str) -> str:
    content = {
        "command": command,
        "machine": dict(machine),
        "tables": {
            key: {
                "title": table.title,
                "columns": {column.key: column.heading for column in table.columns},
                "rows": {name: dict(row) for name, row in table.rows.items()},
                "ratios": {name: _ratios(table, name) for name in table.rows},
            }
            for key, table in tables.items()
        },
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _ratios(table: Table, name: str) -> dict[str, float | None]:
    return {column.key: table.ratio(name, column.key) for column in table.columns if column.has_ratio}


def _markdown(
    machine: Mapping[str, str], names: Iterable[str], tables: Mapping[str, Table], command: str
) -> Iterator[str]:
    yield "# Measured beside the others"
    yield ""
    yield f"Made by `{command}`, which writes this page, results.json and the plots."
    yield "All programs were measured in one run, in turn. Figures are medians; in brackets: as a multiple of tini's."
    yield "They compare programs on one machine: on another, the microseconds are others."
    yield ""
    yield from (f"- {name}: {value}" for name, value in machine.items())
    yield ""
    yield from (f"- **{name}**: {WHAT[name]}" for name in names)
    yield ""
    yield from _verdicts(tables)
    yield from _defeats(tables)
    for table in tables.values():
        yield from _table(table)
        yield from (f"![{plot.title}]({plot.file})\n" for plot in drawable(tables) if plot.table == table.key)


def _verdicts(tables: Mapping[str, Table]) -> Iterator[str]:
    yield "## Targets"
    yield ""
    yield f"For {SUBJECT}, the frozen file."
    yield ""
    yield "| figure | target | measured | |"
    yield "|---|---|---|---|"
    for verdict in verdicts(tables):
        target = verdict.target
        bound = "at least" if target.at_least else "at most"
        limit, measured = (_amount(value, target.of_reference) for value in (target.limit, verdict.measured))
        result = "met" if verdict.is_met else "**missed**"
        yield f"| {target.text} | {bound} {limit} | {measured} | {result} |"
    yield ""


def _amount(value: float, of_reference: bool) -> str:
    return f"{value:.2f} of {REFERENCE}'s" if of_reference else f"{value:,.0f}"


def _defeats(tables: Mapping[str, Table]) -> Iterator[str]:
    yield "## Not in pyinit's favour"
    yield ""
    yield "Every figure in which one of Debian's inits is better than the frozen file."
    yield ""
    for defeat in defeats(tables, PEERS):
        others = ", ".join(f"{name} {figure}" for name, figure in defeat.better.items())
        yield f"- {defeat.table.title}, {defeat.heading}: {defeat.own}; {others}"
    yield ""


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.title}"
    yield ""
    yield table.note
    yield ""
    yield "| | " + " | ".join(column.heading for column in table.columns) + " |"
    yield "|---" + "|---:" * len(table.columns) + "|"
    for name in table.rows:
        cells = [_cell(table, name, column) for column in table.columns]
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""


def _cell(table: Table, name: str, column: Column) -> str:
    text = column.text(table.rows[name].get(column.key))
    ratio = table.ratio(name, column.key) if column.has_ratio and name != REFERENCE else None
    return text if ratio is None else f"{text} ({ratio:.2f})"
