"""Fixtures: which pyinit, where it runs, how it is started; no test may leave a process behind."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import cleanup, inherited_state, procfs, wide
from tests.support.commands import PROGRAMS, Word
from tests.support.harness import Init
from tests.support.nsenter import enter  # noqa: F401  # a fixture
from tests.support.requirements import frozen_file
from tests.support.summary import count, pytest_terminal_summary  # noqa: F401  # a fixture, a hook
from tests.support.tty import Terminal
from tests.support.types import OpenTerminal, RunAs, Start


def pytest_addoption(parser: pytest.Parser) -> None:
    """Have the option that runs the wide sets of parameters whole."""
    parser.addoption(wide.OPTION, action="store_true", help="every set of parameters whole, as in `make test-all`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs only with that option."""
    wide.deselect(config, items)


def pytest_configure() -> None:
    """Make everything the same on every machine."""
    inherited_state.prepare()
    # However slow it is: the same examples.
    settings.register_profile(
        "exact", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("exact")


@pytest.fixture(autouse=True)
def strays() -> Iterator[None]:
    """Fail the test if a process outlives it."""
    before = set(procfs.children(os.getpid()))
    yield
    if left := cleanup.left_running(before):
        pytest.fail(f"the test left processes: {', '.join(left)}")


@pytest.fixture(params=["source", "frozen"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return which pyinit is tested; without dist/pyinit only the source."""
    name: str = request.param
    if name == "frozen":
        frozen_file()
    return name


@pytest.fixture(scope="session")
def frozen() -> Path:
    """Return dist/pyinit."""
    return frozen_file()


@pytest.fixture
def program(kind: str) -> list[str]:
    """Return the command that is pyinit."""
    return PROGRAMS[kind]


@pytest.fixture(params=["pid1", "subreaper"])
def place(request: pytest.FixtureRequest) -> str:
    """Return where pyinit runs: as PID 1 of a PID namespace, or as a child of the tests."""
    name: str = request.param
    return name


@pytest.fixture
def start(program: list[str]) -> Iterator[Start]:
    """Return a function that starts pyinit with words; see Init for the rest of its arguments.

    What it starts is killed at the end of the test. `program=()`: the payload without an init.
    """
    with contextlib.ExitStack() as started:

        def begin(*words: Word, program: Sequence[Word] = program, **how: Any) -> Init:
            init = Init(program, words, **how)
            started.callback(init.close)
            return init

        yield begin


@pytest.fixture
def named(kind: str, program: list[str], tmp_path: Path) -> Callable[[str], str]:
    """Return a function that installs pyinit under another name and returns its path."""

    def install(name: str) -> str:
        path = tmp_path / name
        if not path.exists():
            if kind == "frozen":
                path.symlink_to(program[0])
            else:
                path.write_text(f"#!{program[0]}\nfrom pyinit.__main__ import command\ncommand()\n")
                path.chmod(0o755)
        return str(path)

    return install


@pytest.fixture
def run_as(start: Start, named: Callable[[str], str]) -> RunAs:
    """Return a function that starts pyinit under another name; see Init for the rest of its arguments."""

    def begin(name: str, *words: Word, **how: Any) -> Init:
        return start(*words, program=[named(name)], **how)

    return begin


@pytest.fixture
def terminal() -> Iterator[OpenTerminal]:
    """Return a function that opens a terminal with a program in it; see Terminal."""
    with contextlib.ExitStack() as opened:

        def begin(*words: Word, **how: Any) -> Terminal:
            one = Terminal(words, **how) if words else Terminal(**how)
            opened.callback(one.close)
            return one

        yield begin
