"""What this is: version, commit and licence, and for the frozen file the sources that it was made of."""

from __future__ import annotations

import sys

COMMIT, NOTICES = "", ""
SOURCES: tuple[tuple[str, str], ...] = ()
try:
    # Made by the freezer (build/freezing): there is none from source.
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
    """One line that docker's parser of `docker-init --version` takes: ` - git.HASH` once, at the end.

    Under a peer's name, `as_peer`, it says tini, as that parser wants. With `verbose` a line for each source that the
    frozen file was made of, with its SHA-256, follows.
    """
    commit = f" - git.{COMMIT}" if COMMIT else ""
    python = ".".join(map(str, sys.version_info[:3]))
    line = f"tini version {VERSION} (pyinit)" if as_peer else f"pyinit {VERSION} (CPython {python})"
    sources = [f"{name} sha256:{digest}" for name, digest in SOURCES] if verbose else []
    return "\n".join([line + commit, *sources]) + "\n"


def licence() -> str:
    """The licence and the notices of all that is linked in."""
    return LICENCE + ("\n" + NOTICES if NOTICES else "")
