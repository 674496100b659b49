"""Commands run by the programs of this folder that trace them with ptrace(2)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from benchmarks.helpers import compiled
from benchmarks.surroundings import ENVIRONMENT
from tools.tree import ROOT


def traced(name: str, command: Sequence[str]) -> list[int]:
    """What the tracing program NAME.c tells of a command."""
    reader, writer = os.pipe()
    with open(reader) as result:
        subprocess.run(
            [str(compiled(name)), str(writer), *command],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd=ROOT,
            pass_fds=[writer],
        )
        os.close(writer)
        return [int(word) for word in result.read().split()]
