"""Init's system calls over a whole life, traced from outside; and the lives that are traced."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.cgroup_v2 import KILL_AND_COUNT, version_2
from tests.support.commands import ENVIRONMENT, INIT_WAITS, payload, shell
from tools.namespace import NAMESPACE

TRACED = 120.0  # seconds: strace stops every process at every call, and other work may run beside it
# Processes that become init's in every way: an orphan that ends, one that outlives the payload, one that hears nothing.
ORPHANS = shell("(true &); (sleep 600 &); (trap '' TERM; sleep 600 &); exit 3")

DEAF = shell("trap '' TERM; kill $PPID; while :; do sleep 0.05; done")


class Call(NamedTuple):
    """One system call as strace writes it."""

    name: str
    arguments: str
    result: str

    @property
    def path(self) -> str:
        """The first text among the arguments."""
        found = re.search(r'"((?:[^"\\]|\\.)*)"', self.arguments)
        return found[1] if found else ""


class Trace(NamedTuple):
    """Init's calls from its own exec on, its child's until the payload's exec, and how it ended."""

    init: list[Call]
    child: list[Call]
    done: subprocess.CompletedProcess[str]


def traced(
    program: Sequence[str | Path],
    words: Sequence[str],
    folder: Path,
    *,
    calls: str,
    around: Sequence[str] = (),
    environment: Mapping[str, str] = ENVIRONMENT,
    directory: Path | None = None,
) -> Trace:
    """Run a program under strace, which sees `calls`; `around` starts it, as PID 1 perhaps."""
    log = folder / "trace"
    strace = ["strace", "-ff", "-qq", "--pidns-translation", "-v", "-s", "4096", "-o", str(log), "-e", f"trace={calls}"]
    done = subprocess.run(
        [*strace, *around, *program, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=TRACED,
        stdin=subprocess.DEVNULL,
        env=environment,
        cwd=directory,
    )
    return read(log, str(program[0]), done)


def read(log: Path, program: str, done: subprocess.CompletedProcess[str]) -> Trace:
    """Find init's own calls among those of all processes: each has a file of its own."""
    init: list[Call] = []
    child: list[Call] = []
    for file in log.parent.glob(f"{log.name}.*"):
        calls = [Call(*found) for found in re.findall(r"^(\w+)\((.*)\) += (.*)$", file.read_text(), re.MULTILINE)]
        executed = [call.path for call in calls if call.name == "execve" and call.result == "0"]
        if program in executed:
            start = next(place for place, call in enumerate(calls) if call.name == "execve" and call.path == program)
            init = calls[start + 1 :]
    assert init, "the program has not been started"
    # The pid as init sees it, then, if that is another, as strace does.
    forks = [re.findall(r"\d+", call.result) for call in init if call.name in ("clone", "fork", "vfork")]
    for pid in (numbers[-1] for numbers in forks):
        file = log.with_name(f"{log.name}.{pid}")
        for line in file.read_text().splitlines():
            if found := re.match(r"(\w+)\((.*)\) += (.*)$", line):
                child.append(Call(*found.groups()))
                if child[-1].name == "execve" and child[-1].result == "0":
                    break
    return Trace(init, child, done)


# What init is started with, and whether as PID 1.
LIVES: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "plain": (["--", "true"], ()),
    "PID 1": (["--", "true"], NAMESPACE),
    "orphans": (["-vv", "-w", "-t", "0.2", "--", *ORPHANS], NAMESPACE),
    "orphans of a subreaper": (["-vv", "-w", "-a", "-t", "0.2", "--", *ORPHANS], ()),
    "another user": (["-u", "nobody", "-S", "-p", "TERM", "--", "true"], ()),
    "a tree": (["--tree"], NAMESPACE),
    "no such program": (["--", "no-such-program"], ()),
    "stop signals": (["-d", "0.1", "-k", "0.1", "--", *DEAF], ()),
    "out of memory": (shell(f"{INIT_WAITS} {KILL_AND_COUNT}"), version_2("8388608")),
    "a relay": (["--", *payload("notify", "READY=1")], NAMESPACE),
    "a version": (["-v", "--version"], ()),
}
