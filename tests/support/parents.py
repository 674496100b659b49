"""A parent below whom an init runs, and which dies when the test says so."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tests.support import procfs
from tests.support.commands import payload, shell
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.types import Start


def child_of_a_parent(start: Start, program: Sequence[str], option: str, place: str) -> tuple[Init, int, int]:
    """Start an init below a shell; return the shell's Init, and the pids of init and payload."""
    script = '"$@" & read -r word; exit 0'
    reader, writer = os.pipe()
    words = [*program, "-p", option, "--", *payload("receive")]
    parent = start(*shell(script, *words), program=(), place=place, stdin=reader)
    os.close(reader)
    parent.expect("got is ready\n")

    def receiver() -> int:
        found = [pid for pid in procfs.descendants(parent.pid) if procfs.command(pid) == payload("receive")]
        return found[0] if found else 0

    below = until(receiver, "the payload")
    init = procfs.parent(below)
    assert procfs.parent(init) == parent.pid
    os.close(writer)
    return parent, init, below
