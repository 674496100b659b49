"""The file can be built without the parts that only make it quick: `make dist WITHOUT=...`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from freezing.optional import PARTS

from tools.tree import ROOT


def build(freezer: Path, folder: Path, without: str) -> subprocess.CompletedProcess[str]:
    """Freeze pyinit into a folder without some of its optional parts."""
    folders = ["--distpath", str(folder), "--workpath", str(folder / "work")]
    command = [str(freezer), "-m", "PyInstaller", "--log-level", "WARN", *folders, str(ROOT / "build" / "pyinit.spec")]
    environment = {**os.environ, "PYINIT_WITHOUT": without}
    return subprocess.run(command, check=False, timeout=300, capture_output=True, text=True, env=environment)


def test_the_file_works_without_any_optional_part(freezer: Path, tmp_path: Path) -> None:
    done = build(freezer, tmp_path, ",".join(PARTS))
    assert done.returncode == 0, done.stderr
    started = subprocess.run([tmp_path / "pyinit", "sh", "-c", "exit 42"], check=False, timeout=60)
    assert started.returncode == 42


def test_leaving_out_an_unknown_part_fails_the_build(freezer: Path, tmp_path: Path) -> None:
    done = build(freezer, tmp_path, "specialize,no_such_part")
    assert done.returncode == 1
    assert "build: no such part: no_such_part; there are " in done.stderr
