"""A few faults of each call, for every `make test`."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.long.faults import plan
from tests.long.faults.scenario import Fault
from tests.support import outcomes
from tools.tree import ROOT

PATIENCE = 300.0  # seconds; a quiet machine needs 15


@pytest.mark.parametrize("name", ["pyinit, source", "pyinit, frozen", "pyinit -vvw, frozen"])
def test_no_system_call_that_fails_breaks_pyinit(name: str) -> None:
    """`make faults` tries every call and every error."""
    words = [sys.executable, "-m", "tests.long.faults", "--quick", "--only", name]
    done = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.findall(rf"^{re.escape(name)}, (.*): (\d+) faults: ", done.stdout, re.MULTILINE)
    assert [place for place, _ in counts] == ["PID 1", "subreaper"], done.stdout
    assert all(int(count) > 30 for _, count in counts), done.stdout
    assert "broken by pyinit: 0" in done.stdout


@pytest.mark.parametrize("error", ["EPERM", "ENOSYS"])
def test_where_every_kill_is_refused_init_does_not_exit_when_it_looks_who_is_left(kind: str, error: str) -> None:
    """Regression: init asked with kill(-1, 0), took the refusal for an internal error, and exited with 125."""
    result = plan.ours(kind, "pid1").run(Fault("kill", 1, error, always=True))
    assert result.outcome == outcomes.HELD, result.detail
