"""Whatever goes wrong inside ends with one line on standard error and 125: frozen are programs that do go wrong."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.frozen.programs import frozen_program

PROGRAMS = {
    "exception": "def main():\n    raise ValueError('caf\\xe9\\nnext')",
    "late import": "def main():\n    import json",
    "recursion": "def main():\n    return main()",
    "exit": "def main():\n    raise SystemExit(3)",
    "no number": "def main():\n    return 'text'",
    "in finally": "def main():\n    try:\n        1 / 0\n    finally:\n        [].pop()",
}


def run(program: Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run([program], check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_exception_that_escapes_is_one_line_and_125(name: str, stage: Path, tmp_path: Path) -> None:
    done = run(frozen_program(PROGRAMS[name], stage, tmp_path))
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (125, "")
    assert line.startswith("pyinit: internal error: ")


def test_the_line_of_an_exception_is_written_to_a_disk_that_cannot_take_it_at_once(stage: Path, tmp_path: Path) -> None:
    """Regression: on btrfs and XFS, which answer EAGAIN where RWF_NOWAIT would have to allocate blocks, it was lost."""
    program = frozen_program(PROGRAMS["exception"], stage, tmp_path)
    log = tmp_path / "log"
    traced = ["strace", "-qq", "-o", "/dev/null", "-e", "inject=pwritev2:error=EAGAIN", str(program)]
    with log.open("wb") as file:
        done = subprocess.run(traced, check=False, stderr=file, timeout=60)
    assert done.returncode == 125
    assert log.read_text().startswith("pyinit: internal error: ")


def test_the_programs_return_value_is_the_exit_code(stage: Path, tmp_path: Path) -> None:
    done = run(frozen_program("def main():\n    return 42", stage, tmp_path))
    assert (done.returncode, done.stderr) == (42, "")


def test_a_stage_without_a_program_says_so(stage: Path) -> None:
    done = run(stage)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 125
    assert "holds no program" in line


def test_a_module_that_cannot_be_imported_fails_the_build(stage: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="No module named 'absent'"):
        frozen_program("import absent\n", stage, tmp_path)
    assert not os.path.lexists(tmp_path / "program")
