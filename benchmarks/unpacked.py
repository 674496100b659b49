"""The compared programs' files as an engine leaves them that has just unpacked an image: all written anew.

How the page cache holds a file decides what its pages cost a start: in large pieces as it was written, or page by page
as it was read. A file that was just built would be measured beside others that have been read long ago.
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.helpers import WORK, compiled
from benchmarks.programs import Program

NEW_MOUNTS = 0x20000  # unshare(2), CLONE_NEWNS
LIBRARY = re.compile(r"(/\S+) \(0x")  # as ldd names each


def own_mounts() -> None:
    """From now on nobody else sees what this process mounts. Raises PermissionError where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    _run("mount", "--make-rprivate", "/")


@contextmanager
def files(programs: Iterable[Program]) -> Iterator[None]:
    """Meanwhile a new copy lies over each file of the programs, their libraries and the payload. Needs own_mounts()."""
    WORK.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="unpacked-", dir=WORK)))
        for number, file in enumerate(sorted(_all(programs))):
            copy = folder / f"{number}-{file.name}"
            copy.write_bytes(file.read_bytes())
            copy.chmod(file.stat().st_mode)
            with copy.open("rb") as written:
                os.fsync(written)
            _run("mount", "--bind", copy, file)
            stack.callback(_run, "umount", "--lazy", file)
        yield


def _run(*words: str | Path) -> None:
    subprocess.run(words, check=True)


def _all(programs: Iterable[Program]) -> set[Path]:
    found = {compiled("payload").resolve()}
    for program in programs:
        for file in program.files:
            found.add(file.resolve())
            # It fails for what is static, or no program.
            listed = subprocess.run(["ldd", file], capture_output=True, text=True, check=False).stdout
            found |= {Path(library).resolve() for library in LIBRARY.findall(listed)}
    return found
