"""Figures that tests have counted, printed at the end of the run; a hook that conftest takes over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from _pytest.terminal import TerminalReporter

Count = Callable[[str, str], None]
PROPERTY = "counted"


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Count:
    """Return a function that has a line printed at the end of the run, under a heading.

    xdist's workers send the properties of a test's report to the process that prints.
    """
    return lambda heading, line: record_property(PROPERTY, [heading, line])


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print what was counted, heading by heading."""
    headings: dict[str, list[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") != "call":
                continue
            for name, value in report.user_properties:
                if name == PROPERTY:
                    headings.setdefault(value[0], []).append(value[1])
    for heading, lines in sorted(headings.items()):
        terminalreporter.section(heading)
        for line in sorted(lines):
            terminalreporter.write_line(line)
