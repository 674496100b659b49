"""The programs that are compared: pyinit in three forms, Debian's inits, the floor, and no init at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.helpers import WORK, compiled
from tools.tree import ROOT

FREEZER = ROOT / ".work" / "venv" / "bin" / "python"
PACKAGE = ROOT / "pyinit"
NO_INIT = "no init"


class Missing(Exception):
    """A program that is to be compared is not there."""


class Program(NamedTuple):
    """An init. `command` starts it as PID 1, `elsewhere` where it is not; the payload's words follow.

    `files` are what its size is counted from. A slow one takes part in fewer rounds.
    """

    name: str
    command: Sequence[str]
    elsewhere: Sequence[str]
    files: Sequence[Path]
    is_slow: bool = False


PEERS = ("tini", "tini-static", "dumb-init", "catatonit")
FLOOR = "floor"
NAMES = ("pyinit", "source", "onefile", *PEERS, FLOOR)


def programs(names: Iterable[str] = NAMES) -> list[Program]:
    """The programs of these names, built if they are ours; raises Missing, which says what to do."""
    return [_program(name) for name in names]


def no_init() -> Program:
    """The payload alone, for what is to be subtracted."""
    return Program(NO_INIT, (), (), ())


def _program(name: str) -> Program:
    if name == "pyinit":
        return _ours(name, _there(ROOT / "dist" / "pyinit", "make dist"))
    if name == "onefile":
        return _ours(name, _onefile(), is_slow=True)
    if name == "source":
        command = (sys.executable, "-m", "pyinit", "--")
        return Program(name, command, command, sorted(PACKAGE.glob("*.py")), is_slow=True)
    if name == FLOOR:
        floor = compiled(name)
        return Program(name, (str(floor),), (str(floor),), (floor,))
    return _debian(name)


def _ours(name: str, file: Path, is_slow: bool = False) -> Program:
    return Program(name, (str(file), "--"), (str(file), "--"), (file,), is_slow)


def _debian(name: str) -> Program:
    found = shutil.which(name)
    if not found:
        raise Missing(f"{name} is not installed: tools/need tini dumb-init catatonit")
    # Without -s tini writes a warning where it is not PID 1; the others are subreapers without being asked, or never.
    options = ("-s",) if name.startswith("tini") else ()
    return Program(name, (found, "--"), (found, *options, "--"), (Path(found),))


def _there(file: Path, command: str) -> Path:
    if not file.exists():
        raise Missing(f"{file} is not there: {command}")
    return file


def _onefile() -> Path:
    """PyInstaller's own onefile of the same program, built once for each state of the source."""
    _there(FREEZER, "make .work/venv/stamp")
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(PACKAGE.glob("*.py")))).hexdigest()[:16]
    name = f"onefile-{digest}"
    if not (WORK / name).exists():
        work = str(WORK / "pyinstaller")
        folders = ["--distpath", str(WORK), "--workpath", work, "--specpath", work]
        # Its modules come from the environment that we run in; both are of the same interpreter.
        paths = ["--paths", os.pathsep.join([str(ROOT), sysconfig.get_path("platlib")])]
        command = [str(FREEZER), "-m", "PyInstaller", "--onefile", "--log-level", "ERROR", "--noconfirm"]
        subprocess.run([*command, *folders, *paths, "--name", name, str(PACKAGE / "__main__.py")], check=True)
    return WORK / name
