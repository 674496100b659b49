"""The command lines of the long tests: what they have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

One = TypeVar("One")


def parser(name: str, description: str | None, document: str) -> argparse.ArgumentParser:
    """Return a parser for `python -m tests.long.NAME`, with --document."""
    made = argparse.ArgumentParser(prog=f"python -m tests.long.{name}", description=description)
    made.add_argument("--document", type=Path, help=document)
    return made


def add_only(to: argparse.ArgumentParser) -> None:
    """Add --only, for `chosen`."""
    to.add_argument("--only", default="", help="inits whose name has this in it")


def chosen(by: argparse.ArgumentParser, only: str, inits: Iterable[One], name: Callable[[One], str] = str) -> list[One]:
    """Return the inits that --only names; it is an error if it names none, because nothing would be tried then."""
    found = [each for each in inits if only in name(each)]
    if not found:
        by.error(f"no init that is here has {only!r} in its name")
    return found
