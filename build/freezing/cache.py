"""What takes long to make or to fetch is kept in ~/.cache/pyinit, and believed only if its hash is right."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from freezing.steps import say


def sha256(path: Path) -> str:
    """The hash of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder() -> Path:
    """Where the cache is: $XDG_CACHE_HOME/pyinit, by default ~/.cache/pyinit."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "pyinit")


def store(path: Path, name: str) -> Path:
    """Move a file into the cache under a name, in one step; returns its new place."""
    place = folder() / name
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.move(path, beside)
    beside.rename(place)
    return place


def made(name: str, make: Callable[[], Path]) -> Path:
    """The cached file `name`, made first if it is missing or not what was stored; of several askers, one makes it.

    The name must contain a hash of all that goes into the file; that of the content lies beside it.
    """
    place, note = folder() / name, folder() / f"{name}.sha256"
    with _locked(folder() / f"{name}.lock"):
        if place.exists() and note.exists():
            if note.read_text() == sha256(place):
                return place
            say(f"{place} has changed since it was stored: making it again")
        fresh = make()
        scratch = fresh.with_name(f"{fresh.name}.sha256")
        scratch.write_text(sha256(fresh))
        store(scratch, note.name)
        return store(fresh, name)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
