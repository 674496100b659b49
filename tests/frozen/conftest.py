"""Every test here is about dist/pyinit; without it there is nothing to test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.requirements import absent
from tools.tree import ROOT


@pytest.fixture
def freezer(frozen: Path) -> Path:
    """The freezer's Python, which has PyInstaller; there is one where dist/pyinit was made."""
    path = ROOT / ".work" / "venv" / "bin" / "python"
    if not path.exists():
        absent(f"{frozen} was made elsewhere")
    return path


@pytest.fixture
def stage(freezer: Path) -> Path:
    """The linked file that holds no program yet."""
    path = ROOT / ".work" / "pyinit" / "stage1"
    if not path.exists():
        absent(f"no stage beside {freezer}")
    return path
