"""A payload killed for want of memory ends with 137 and one line that says so, with the limit."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Start
from tests.harness import NAMESPACE, shell, until

MOUNT = Path("/sys/fs/cgroup/memory")
LIMIT = 32 << 20
EATER = "python3 -c 'bytearray(200 << 20)'"


@pytest.fixture
def group() -> Iterator[list[str]]:
    """Return the words that start a program as PID 1 of a namespace, in a memory cgroup with a small limit."""
    if not (MOUNT / "memory.limit_in_bytes").exists():
        text = "this machine has no memory controller of version 1"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(text)
    folder = MOUNT / f"pyinit-test-{uuid.uuid4().hex}"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text(str(LIMIT))
    yield ["sh", "-c", f'echo 0 > {folder}/cgroup.procs && exec "$@"', "sh", *NAMESPACE]
    until(lambda: not (folder / "cgroup.procs").read_text(), "an empty cgroup")
    folder.rmdir()


def test_a_payload_killed_for_memory_is_explained_with_the_limit(start: Start, group: list[str]) -> None:
    done = start(*shell(f"exec {EATER}"), place=group).wait()
    assert done.code == 137
    assert re.fullmatch(
        r"pyinit: payload \d+ \(/bin/sh\) was killed: out of memory: the limit is 32 MiB\n", done.stderr
    )


def test_a_plain_kill_says_nothing_of_memory(start: Start, group: list[str]) -> None:
    assert start(*shell("kill -9 $$"), place=group).wait() == (137, "", "")


def test_a_killed_descendant_is_reported_and_the_payloads_code_untouched(start: Start, group: list[str]) -> None:
    init = start(*shell(f"({EATER} &); read line; exit 3"), place=group, stdin=-1)
    line = init.expect_error("\n")
    assert re.search(r"pyinit: \d+ was killed: out of memory: the limit is 32 MiB\n", line)
    assert init.process.stdin
    init.process.stdin.close()
    assert init.wait().code == 3


def test_a_child_of_the_payload_that_was_killed_is_reported_if_the_payload_fails(
    start: Start, group: list[str]
) -> None:
    done = start(*shell(f"{EATER} 2>/dev/null; exit 5"), place=group).wait()
    assert done.code == 5
    assert "ended with exit code 5, and a process of its was killed: out of memory" in done.stderr


# Version 2 has no memory controller beside version 1's: a folder of files of the same shape stands in for it.
VERSION_2 = """
mount -t tmpfs none /sys/fs/cgroup && mount -t tmpfs none /tmp && cd /sys/fs/cgroup &&
printf 'low 0\\nhigh 0\\nmax 0\\noom 0\\noom_kill %s\\n' "$BEFORE" > memory.events && echo "$MAX" > memory.max &&
echo "0::/" > /tmp/cgroup && mount --bind /tmp/cgroup /proc/$$/cgroup && exec "$@"
"""


def version_2(limit: str) -> list[str]:
    """Return the words that start a program as PID 1 where cgroups look like version 2."""
    around = f"BEFORE=2 MAX={limit}; {VERSION_2}"
    return [*NAMESPACE, "--mount", "sh", "-c", around, "sh"]


KILL_AND_COUNT = "printf 'low 0\\noom 3\\noom_kill 3\\noom_group_kill 0\\n' > /sys/fs/cgroup/memory.events; kill -9 $$"


@pytest.mark.parametrize(
    ("limit", "words"), [("8388608", "the limit is 8 MiB"), ("max", "the machine's own, or a limit further up")]
)
def test_version_2_is_read_too(start: Start, limit: str, words: str) -> None:
    # The count must be read by init before the payload changes it: init leaves its directory after that.
    wait = 'until [ "$(readlink /proc/1/cwd)" = / ]; do :; done;'
    done = start(*shell(wait + KILL_AND_COUNT), place=version_2(limit)).wait()
    assert done.code == 137
    assert re.fullmatch(rf"pyinit: payload \d+ \(/bin/sh\) was killed: out of memory: {words}\n", done.stderr)


def test_version_2_unchanged_says_nothing(start: Start) -> None:
    assert start(*shell("kill -9 $$"), place=version_2("max")).wait() == (137, "", "")
