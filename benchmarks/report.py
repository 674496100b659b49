"""The report: results.json, and README.md made from the same figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.plots import drawable
from benchmarks.programs import PEERS
from benchmarks.tables import REFERENCE, Column, Table
from benchmarks.targets import SUBJECT, defeats, verdicts

FILE = "results.json"
WHAT = {
    "pyinit": "the frozen file, dist/pyinit",
    "source": "the same program from source, run by CPython",
    "onefile": "the same program, packed by PyInstaller's `--onefile`",
    "tini": "Debian's",
    "tini-static": "Debian's",
    "dumb-init": "Debian's",
    "catatonit": "Debian's",
    "floor": "a C program that does the least that an init must do (benchmarks/floor.c), linked statically with musl: "
    "no options, no terminal, no messages, no grace period",
}


class Results(NamedTuple):
    """All that was measured, and by which command; `programs` are names."""

    command: str
    machine: Mapping[str, str]
    programs: Sequence[str]
    tables: Mapping[str, Table]


def write(folder: Path, results: Results) -> None:
    """results.json and README.md into the folder."""
    (folder / FILE).write_text(_json(results))
    (folder / "README.md").write_text(markdown(results))


def read(file: Path) -> Results:
    """What results.json holds."""
    content = json.loads(file.read_text())
    tables = {
        key: Table(key, each["title"], each["note"], [Column(**column) for column in each["columns"]], each["rows"])
        for key, each in content["tables"].items()
    }
    return Results(content["command"], content["machine"], content["programs"], tables)


def markdown(results: Results) -> str:
    """The page."""
    return "\n".join(_markdown(results)) + "\n"


def _json(results: Results) -> str:
    content = {
        "command": results.command,
        "machine": dict(results.machine),
        "programs": list(results.programs),
        "tables": {
            key: {
                "title": table.title,
                "note": table.note,
                "columns": [column._asdict() for column in table.columns],
                "rows": {name: dict(row) for name, row in table.rows.items()},
                "ratios": {name: _ratios(table, name) for name in table.rows},
            }
            for key, table in results.tables.items()
        },
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _ratios(table: Table, name: str) -> dict[str, float | None]:
    return {column.key: table.ratio(name, column.key) for column in table.columns if column.has_ratio}


def _markdown(results: Results) -> Iterator[str]:
    yield "# Benchmarks: pyinit and other inits"
    yield ""
    yield f"`{results.command}` wrote this page, results.json and the plots."
    yield "All programs were measured in one run, by turns. Figures are medians, in brackets as a multiple of tini's."
    yield "They compare the programs on one machine. On another machine the microseconds differ."
    yield ""
    yield from (f"- {name}: {value}" for name, value in results.machine.items())
    yield ""
    yield from (f"- **{name}**: {WHAT[name]}" for name in results.programs)
    yield ""
    yield from _verdicts(results.tables)
    yield from _defeats(results.tables)
    for table in results.tables.values():
        yield from _table(table)
        yield from (f"![{plot.title}]({plot.file})\n" for plot in drawable(results.tables) if plot.table == table.key)


def _verdicts(tables: Mapping[str, Table]) -> Iterator[str]:
    yield "## Targets"
    yield ""
    yield f"These are targets for {SUBJECT}, the frozen file. The floor shows how much of a figure no init can avoid."
    yield ""
    yield "| figure | target | measured | | floor |"
    yield "|---|---|---|---|---|"
    for verdict in verdicts(tables):
        target = verdict.target
        bound = "at least" if target.at_least else "at most"
        limit, measured = (_amount(value, target.of_reference) for value in (target.limit, verdict.measured))
        result = "met" if verdict.is_met else "**missed**"
        floor = "-" if verdict.floor is None else _amount(verdict.floor, target.of_reference)
        yield f"| {target.text} | {bound} {limit} | {measured} | {result} | {floor} |"
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
