"""A payload with a child, and which signals have come to the one and to the other."""

from __future__ import annotations

import os
import re

from tests.support import procfs
from tests.support.commands import compiled, shell
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.types import Start

MARK = 64  # what a test sends last, past the init: whatever came before has been delivered


def pair(start: Start, *options: str, detach: str = "", **how: object) -> tuple[Init, int]:
    """Start a payload that has a child; return the init and the child's pid. Both say what they get."""
    script = f'{detach} "$1" child & exec "$1" got'
    init = start(*options, "--", *shell(script, str(compiled("receive"))), **how)
    # They may become ready in either order.
    until(lambda: "got is ready\n" in init.stdout and "child is ready\n" in init.stdout, "both")

    def find_child() -> int:
        below = procfs.descendants(init.pid)
        return next((pid for pid in below if procfs.command(pid)[1:] == ["child"] and procfs.alive(pid)), 0)

    return init, until(find_child, "the payload's child")


def got_by(init: Init, child: int) -> tuple[list[int], list[int]]:
    """Wait until every signal has been delivered; return those that the payload and its child have got in all."""
    init.idle()
    for pid in (init.payload, child):
        os.kill(pid, MARK)
    until(lambda: len(re.findall(rf"^(?:got|child) {MARK} ", init.stdout, re.MULTILINE)) == 2, "both marks")
    found = [
        # With si_code 0, that is by kill: their own children's ends are theirs alone.
        [int(number) for number in re.findall(rf"^{name} (\d+) 0 ", init.stdout, re.MULTILINE)]
        for name in ("got", "child")
    ]
    assert found[0].pop() == found[1].pop() == MARK
    return found[0], found[1]
