"""Wide sets of parameters: `make test` runs a fixed part of each, `make test-all` (pytest --whole) the whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from _pytest.mark.structures import ParameterSet

OPTION = "--whole"
whole = pytest.mark.whole


def wide(values: Iterable[object], *daily: object) -> list[ParameterSet]:
    """Return all values of one parameter, of which only `daily` run without --whole."""
    listed = list(values)
    missing = [value for value in daily if value not in listed]
    assert not missing, f"{missing} of {listed}"
    return [pytest.param(value, marks=() if value in daily else whole) for value in listed]


def one_in(count: int, rows: Iterable[Sequence[object] | ParameterSet]) -> list[ParameterSet]:
    """Return all rows of a table of parameters, of which one in `count` runs without --whole."""
    found = []
    for number, row in enumerate(rows):
        values, marks, name = row if isinstance(row, ParameterSet) else pytest.param(*row)
        found.append(pytest.param(*values, marks=[*marks, *([whole] if number % count else [])], id=name))
    return found


def deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out what only --whole runs, unless a test was named on the command line, with `::`."""
    if config.getoption(OPTION) or any("::" in argument for argument in config.args):
        return
    left_out = [item for item in items if item.get_closest_marker(whole.name)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
