"""Enters an init's namespace from outside, as `docker exec` does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.support import procfs
from tests.support.polling import until
from tests.support.streams import Stream

Enter = Callable[..., int]


@pytest.fixture
def enter() -> Iterator[Enter]:
    """Return a function that enters an init's namespace with a command, and returns its pid.

    With `reaped=False` the process outside that started it does not wait for it.
    """
    entered: list[subprocess.Popen[bytes]] = []

    def begin(init: int, *words: str, reaped: bool = True) -> int:
        into = ["nsenter", "--target", str(init), "--pid", "--mount"]
        if not reaped:
            # nsenter becomes the shell, which stays outside; what the shell starts is inside.
            into.append("--no-fork")
            words = ("sh", "-c", '"$@" & exec sleep 1000', "sh", *words)
        entered.append(subprocess.Popen([*into, *words], stdout=subprocess.PIPE))
        outer = entered[-1].pid

        def inside() -> int:
            child = next(iter(procfs.children(outer)), 0)
            return child if procfs.command(child)[:1] not in ([], ["nsenter"], ["sh"]) else 0

        pid = until(inside, "the one who enters")
        if "receive" in words[-1]:
            stdout = entered[-1].stdout
            assert stdout
            screen = Stream(os.dup(stdout.fileno()))
            screen.expect("got is ready\n")
            screen.close()
        return pid

    yield begin
    for process in entered:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
