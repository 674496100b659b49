"""What a test needs and this machine may not have: a failure in CI, a skip elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.commands import PROGRAMS


def absent(what: str) -> NoReturn:
    """Fail the test in CI, or skip it elsewhere, for this reason."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI must run every test")
    pytest.skip(what)


def frozen_file() -> Path:
    """Return dist/pyinit; skip the test without it, or fail it in CI."""
    path = Path(PROGRAMS["frozen"][0])
    if not path.exists():
        absent("dist/pyinit is missing; make dist")
    return path


def installed(program: str) -> str:
    """Return the file of a program that is in PATH; skip the test without it, or fail it in CI."""
    path = shutil.which(program)
    if path is None:
        absent(f"{program} is not installed")
    return path


def need(*programs: str) -> None:
    """Skip the test if one of these programs is not installed, or fail it in CI."""
    for program in programs:
        installed(program)
