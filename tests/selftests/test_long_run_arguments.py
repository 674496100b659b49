"""What the long tests are asked for, they must have: a run that tries nothing is no success."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools.tree import ROOT


@pytest.mark.parametrize("name", ["faults", "hostile", "storms"])
def test_a_long_run_of_no_init_is_an_error(name: str) -> None:
    words = [sys.executable, "-m", f"tests.long.{name}", "--only", "pyinit -vw, frozen"]
    done = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("error: no init that is here has 'pyinit -vw, frozen' in its name\n")
