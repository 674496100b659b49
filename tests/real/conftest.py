"""Fixtures of the tests with real programs: the root file system, and containers on it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.debian import Container, unpacked
from tests.support.requirements import need
from tests.support.types import Start


@pytest.fixture
def program() -> list[str]:
    """pyinit as the containers have it; it replaces the fixture that also runs it from source."""
    return ["/pyinit"]


@pytest.fixture(scope="session")
def debian() -> Path:
    """The root file system with the programs."""
    need("debootstrap", "unshare", "nsenter", "ip")
    return unpacked()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for what a container writes."""
    with tempfile.TemporaryDirectory(prefix="pyinit-real-") as name:
        yield Path(name)


@pytest.fixture
def container(folder: Path, start: Start, debian: Path, frozen: Path) -> Container:
    """A container with nothing in it but Debian and pyinit, which ends before its folder is removed."""
    return Container(start, folder, debian, frozen)
