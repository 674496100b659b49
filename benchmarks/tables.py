"""What a measure results in: a table with a row for each program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Row = Mapping[str, float | None]
REFERENCE = "tini"  # what ratios are to


class Column(NamedTuple):
    """One figure of every program. `absent` stands for one that there is not; `is_judged`: one can be better."""

    key: str
    heading: str
    digits: int = 0
    lower_is_better: bool = True
    has_ratio: bool = True
    absent: str = "-"
    is_judged: bool = True

    def text(self, figure: float | None) -> str:
        """The figure as a reader sees it."""
        return self.absent if figure is None else f"{figure:,.{self.digits}f}"


class Table(NamedTuple):
    """Figures by program's name and column's key; `note` says how they came about."""

    key: str
    title: str
    note: str
    columns: Sequence[Column]
    rows: Mapping[str, Row]

    def ratio(self, program: str, column: str) -> float | None:
        """The program's figure as a multiple of tini's; None where one of them is missing or tini's is 0."""
        own = self.rows.get(program, {}).get(column)
        reference = self.rows.get(REFERENCE, {}).get(column)
        return own / reference if own is not None and reference else None
