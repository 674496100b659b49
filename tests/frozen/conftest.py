"""Every test here is about dist/pyinit; without it there is nothing to test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.harness import PROGRAMS, ROOT


@pytest.fixture(scope="session")
def frozen() -> Path:
    """Return dist/pyinit."""
    path = Path(PROGRAMS["frozen"][0])
    if not path.exists():
        text = "dist/pyinit is missing; make dist"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(text)
    return path


@pytest.fixture
def freezer(frozen: Path) -> Path:
    """Return the freezer's Python, which has PyInstaller; there is one where dist/pyinit was made."""
    path = ROOT / ".work" / "venv" / "bin" / "python"
    if not path.exists():
        pytest.skip(f"{frozen} was made elsewhere")
    return path


@pytest.fixture
def stage(freezer: Path) -> Path:
    """Return the linked file that holds no program yet."""
    path = ROOT / ".work" / "pyinit" / "stage1"
    if not path.exists():
        pytest.skip(f"no stage beside {freezer}")
    return path
