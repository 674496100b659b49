"""The ways to stop a program that each of them is tried in: where the signal goes, and what stands above it."""

from __future__ import annotations

import pytest

from tests.support.commands import shell

# Far more than the work that is under way takes, so that a slow machine is not taken for a program that was cut short;
# what is asked for once more, a second before its end, comes too late for these tests too.
GRACE = 20
WITHIN = 12.0  # seconds in which a container has ended that did not need the grace period
TARGETS = pytest.mark.parametrize("target", [[], ["-g"], ["-a"]], ids=["payload", "group", "everyone"])
STARTERS = pytest.mark.parametrize("starter", ["exec", "script"])
TERMINATED = 143  # 128 + TERM


def options(target: list[str], *more: str) -> list[str]:
    """Return pyinit's words up to the command."""
    return ["-t", str(GRACE), *target, *more, "--"]


def started(starter: str, line: str) -> list[str]:
    """Return the command that runs a line: in place of the shell, or as its child, with more to do afterwards."""
    return shell(f"exec {line}" if starter == "exec" else f"{line}; true")
