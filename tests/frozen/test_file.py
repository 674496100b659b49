"""The file itself: static, small, quick to start, the same from every build."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.frozen.segments import segments
from tests.support.wide import whole
from tools.tree import ROOT

MOST_BYTES = 4_000_000
MOST_CALLS = 12  # from execve to the payload's start
EVERY_SIGNAL = "rt_sigprocmask(SIG_SETMASK, ~[]"


def calls(frozen: Path, trace: Path) -> list[str]:
    """Init's system calls from execve on, as strace writes them."""
    subprocess.run(["strace", "-o", trace, frozen, "true"], check=True, timeout=60)
    return [line for line in trace.read_text().splitlines() if re.match(r"\w+\(", line)]


def test_the_file_needs_no_loader_and_no_library(frozen: Path) -> None:
    content = frozen.read_bytes()
    kind, machine = struct.unpack_from("<HH", content, 16)
    executable, x86_64, dynamic, interpreter = 2, 62, 2, 3
    assert (content[:4], kind, machine) == (b"\x7fELF", executable, x86_64)
    assert not {dynamic, interpreter} & {each.type for each in segments(frozen)}


def test_the_file_is_small(frozen: Path) -> None:
    assert frozen.stat().st_size < MOST_BYTES


def test_the_first_system_call_blocks_every_signal(frozen: Path, tmp_path: Path) -> None:
    execve, first, *_ = calls(frozen, tmp_path / "trace")
    assert execve.startswith("execve(")
    assert first.startswith(EVERY_SIGNAL)


def test_few_system_calls_until_the_payload_starts(frozen: Path, tmp_path: Path) -> None:
    names = [call.partition("(")[0] for call in calls(frozen, tmp_path / "trace")]
    until_start = names[1 : names.index("clone") + 1]
    assert len(until_start) <= MOST_CALLS, until_start


def test_no_path_of_this_machine_is_in_the_file(frozen: Path) -> None:
    content = frozen.read_bytes()
    assert str(ROOT).encode() not in content
    assert b"/.cache/" not in content


@whole
def test_two_builds_of_the_file_are_identical(freezer: Path, frozen: Path, tmp_path: Path) -> None:
    spec = str(ROOT / "build" / "pyinit.spec")
    # What surrounds a build must not show: it may have been seen by the interpreter that compiles.
    for name, seen in (("one", {}), ("other", {"LANG": "C", "PYTHONHASHSEED": "7", "~": "~"})):
        folders = ["--distpath", str(tmp_path / name), "--workpath", str(tmp_path / f"{name}-work")]
        command = [str(freezer), "-m", "PyInstaller", "--log-level", "WARN", *folders, spec]
        subprocess.run(command, check=True, timeout=300, capture_output=True, cwd=tmp_path, env={**os.environ, **seen})
    one, other = ((tmp_path / name / frozen.name).read_bytes() for name in ("one", "other"))
    assert one == other


def test_the_wheel_installs_the_file(frozen: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "freezing.wheel", str(ROOT), str(frozen), str(tmp_path)]
    environment = {"PYTHONPATH": str(ROOT / "build")}
    subprocess.run(command, check=True, timeout=60, env=environment, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    for tag in ("manylinux1_x86_64", "musllinux_1_1_x86_64"):
        assert tag in wheel.name
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True, timeout=120)
    install = [str(venv / "bin" / "pip"), "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, timeout=120, capture_output=True)
    installed = venv / "bin" / "pyinit"
    assert installed.read_bytes() == frozen.read_bytes()
    for page in ("man/man1/pyinit.1", "bash-completion/completions/pyinit", "zsh/site-functions/_pyinit"):
        assert (venv / "share" / page).exists()
    done = subprocess.run([installed, "sh", "-c", "exit 9"], check=False, timeout=60)
    assert done.returncode == 9
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
