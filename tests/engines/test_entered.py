"""Processes that entered the container, whose parents outside are killed and never wait for them.

This is how BuildKit's containers hung for ever in their PID namespace's end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

import pytest

from tests.engines.oci import Runc
from tests.engines.support import running, until
from tests.support.commands import payload
from tests.support.procfs import children, read, state

pytestmark = pytest.mark.xdist_group("oci")
MANY = 50
GRACE = 1  # seconds
# What each of them is: a shell that stays, deaf to TERM, and has left an orphan behind.
ORPHAN = ("sleep", "1111")
SCRIPT = "trap '' TERM; sh -c 'sleep 1111 &'; while :; do sleep 1; done"


def test_fifty_processes_that_entered_with_no_parent_outside_do_not_hold_init(storage: Path, bare: Path) -> None:
    """Their orphans are pyinit's; they are killed at the stop, and nobody waits for their zombies."""
    runc = Runc(storage / "entered", bare)
    options = {"PYINIT_OPTIONS": f"-t {GRACE}"}
    with runc.container("sleep", "2222", environment=options) as container:
        init = container.init
        until(lambda: running(init, "sleep", "2222"), "the payload")
        [first] = children(init)
        enter = payload("enter", str(MANY), *runc.client("exec", container.name, "sh", "-c", SCRIPT))
        with subprocess.Popen(enter, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as outside:
            assert outside.stdin
            assert outside.stdout
            until(lambda: len(running(init, *ORPHAN)) == MANY, "fifty orphans")
            tell(outside.stdin)
            assert outside.stdout.readline() == b"killed\n"
            for orphan in running(init, *ORPHAN):
                os.kill(orphan, signal.SIGKILL)
            until(lambda: children(init) == [first], "the orphans reaped")

            entered = children(outside.pid)
            assert len(entered) == MANY
            begun = time.monotonic()
            container.signal(signal.SIGTERM)
            # It has ended when its memory is gone; its zombie stays until the others are reaped.
            until(lambda: not read(init, "maps"), "pyinit has ended")
            assert time.monotonic() - begun >= GRACE
            assert {state(pid) for pid in entered} == {"Z"}
            assert not container.over()
            tell(outside.stdin)
            assert container.wait() == 128 + signal.SIGTERM


def tell(stdin: IO[bytes]) -> None:
    """Let the process that is reading go on."""
    stdin.write(b"\n")
    stdin.flush()
