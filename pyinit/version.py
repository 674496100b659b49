"""The version, commit and licence of this program, and the sources that the frozen file was built from."""

from __future__ import annotations

import sys

COMMIT, NOTICES = "", ""
SOURCES: tuple[tuple[str, str], ...] = ()
try:
    # The freezer (build/freezing) creates this module; from source there is none.
    from pyinit._build import COMMIT, NOTICES, SOURCES  # type: ignore[import-not-found, no-redef]
except ImportError:
    pass

VERSION = "0.1.0"
LICENCE = """\
pyinit, a container init.

This program is free software: you can redistribute it and/or modify it under the terms of the GNU General Public
License as published by the Free Software Foundation, either version 3 of the License, or (at your option) any later
version. It comes WITHOUT ANY WARRANTY. See <https://www.gnu.org/licenses/>.
"""


def version(verbose: bool = False, as_peer: bool = False) -> str:
    """Return the text of --version. Docker parses it (`docker-init --version`): ` - git.HASH` once, at the line's end.

    With `as_peer`, under another init's name, the line starts with tini, which that parser requires. With `verbose`,
    it is followed by a line for every source that the frozen file was built from, with its SHA-256.
    """
    commit = f" - git.{COMMIT}" if COMMIT else ""
    python = ".".join(map(str, sys.version_info[:3]))
    line = f"tini version {VERSION} (pyinit)" if as_peer else f"pyinit {VERSION} (CPython {python})"
    sources = [f"{name} sha256:{digest}" for name, digest in SOURCES] if verbose else []
    return "\n".join([line + commit, *sources]) + "\n"


def licence() -> str:
    """Return the licence, and the notices of the linked libraries."""
    return LICENCE + ("\n" + NOTICES if NOTICES else "")
