"""Small limits: how little pyinit needs of processes, memory and descriptors."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tests.engines.support import run, until
from tests.support.requirements import absent
from tools.namespace import NAMESPACE

CGROUPS = Path("/sys/fs/cgroup")
# A limit's name in version 1 and in version 2.
LIMITS = {"pids": ("pids.max", "pids.max"), "memory": ("memory.limit_in_bytes", "memory.max")}
MEGABYTE = 1 << 20


@contextlib.contextmanager
def cgroup(controller: str, limit: int) -> Iterator[Path]:
    """Make a cgroup with one limit, in the version that this machine has; it is removed again."""
    version_1 = (CGROUPS / controller).is_dir()
    folder = (CGROUPS / controller if version_1 else CGROUPS) / f"pyinit-{os.getpid()}-{controller}"
    name = LIMITS[controller][0 if version_1 else 1]
    try:
        folder.mkdir()
    except OSError as failed:
        absent(f"no cgroup of the controller {controller} can be made here: {failed}")
    try:
        if not (folder / name).exists():
            absent(f"the controller {controller} is not to be had here")
        (folder / name).write_text(str(limit))
        yield folder
        # For its parent a process is gone a little earlier than for its cgroup.
        until(lambda: not (folder / "cgroup.procs").read_text(), "the cgroup is empty")
    finally:
        folder.rmdir()


def limited(preparation: str, init: Path, *words: str) -> tuple[int, str, str]:
    """Run pyinit as PID 1; a shell prepares something in its place and becomes it."""
    shell = ["sh", "-c", f'{preparation} && exec "$@"', "sh"]
    done = run(*NAMESPACE, *shell, init, "-g", "--", *words, check=False)
    return done.returncode, done.stdout, done.stderr


def entering(folder: Path) -> str:
    """What makes the shell move itself into a cgroup."""
    return f"echo $$ > {folder}/cgroup.procs"


def test_one_process_is_too_few_and_pyinit_says_so(frozen: Path) -> None:
    """Nothing can be started: one line, and 125."""
    with cgroup("pids", 1) as folder:
        code, output, errors = limited(entering(folder), frozen, "true")
    assert (code, output) == (125, "")
    [line] = errors.splitlines()
    assert line.startswith("pyinit: fork failed: ")


def test_two_processes_are_enough(frozen: Path) -> None:
    """Init and payload; no helper, no thread."""
    with cgroup("pids", 2) as folder:
        done = limited(entering(folder), frozen, "sh", "-c", "echo runs; exit 3")
    assert done == (3, "runs\n", "")


def test_eight_megabytes_are_enough(frozen: Path) -> None:
    """For init, a shell and an orphan; what is counted is all three together."""
    script = "(true &); echo runs; exit 3"
    with cgroup("memory", 8 * MEGABYTE) as folder:
        done = limited(entering(folder), frozen, "sh", "-c", script)
    assert done == (3, "runs\n", "")


def test_four_descriptors_are_enough(frozen: Path) -> None:
    """The standard streams, and one that the payload's own dynamic linker wants."""
    done = limited("ulimit -n 4", frozen, "sh", "-c", "echo runs; exit 3")
    assert done == (3, "runs\n", "")
