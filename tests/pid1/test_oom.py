"""A payload killed for want of memory ends with 137 and one line that says so, with the limit."""

from __future__ import annotations

import re
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cgroup_v2 import KILL_AND_COUNT, version_2
from tests.support.commands import INIT_WAITS, shell
from tests.support.polling import until
from tests.support.requirements import absent
from tests.support.types import Start
from tools.namespace import NAMESPACE

MOUNT = Path("/sys/fs/cgroup/memory")
LIMIT = 32 << 20
# Python reads numbers of 4300 digits at the most.
TOO_LONG = "9" * 5000
EATER = "python3 -c 'bytearray(200 << 20)'"


@pytest.fixture
def group() -> Iterator[list[str]]:
    """The words that start a program as PID 1 of a namespace, in a memory cgroup with a small limit."""
    if not (MOUNT / "memory.limit_in_bytes").exists():
        absent("this machine has no memory controller of version 1")
    folder = MOUNT / f"pyinit-test-{uuid.uuid4().hex}"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text(str(LIMIT))
    with_swap = folder / "memory.memsw.limit_in_bytes"
    if with_swap.exists():
        with_swap.write_text(str(LIMIT))
    yield ["sh", "-c", f'echo 0 > {folder}/cgroup.procs && exec "$@"', "sh", *NAMESPACE]
    until(lambda: not (folder / "cgroup.procs").read_text(), "an empty cgroup")
    folder.rmdir()


def test_a_payload_killed_for_memory_is_explained_with_the_limit(start: Start, group: list[str]) -> None:
    done = start(*shell(f"{INIT_WAITS} exec {EATER}"), place=group).wait()
    assert done.code == 137
    assert re.fullmatch(
        r"pyinit: payload \d+ \(/bin/sh\) was killed: out of memory: the limit is 32 MiB\n", done.stderr
    )


def test_a_plain_kill_is_not_explained_by_memory(start: Start, group: list[str]) -> None:
    assert start(*shell("kill -9 $$"), place=group).wait() == (137, "", "")


def test_a_killed_descendant_is_reported_and_the_payloads_code_untouched(start: Start, group: list[str]) -> None:
    init = start(*shell(f"{INIT_WAITS} ({EATER} &); read line; exit 3"), place=group, stdin=subprocess.PIPE)
    line = init.expect_error("\n")
    assert re.search(r"pyinit: \d+ was killed: out of memory: the limit is 32 MiB\n", line)
    init.end_input()
    assert init.wait().code == 3


@pytest.mark.parametrize("code", [0, 5])
def test_a_child_of_the_payload_that_was_killed_is_reported_at_the_end(
    start: Start, group: list[str], code: int
) -> None:
    done = start(*shell(f"{INIT_WAITS} {EATER} 2>/dev/null; exit {code}"), place=group).wait()
    assert done.code == code
    assert re.fullmatch(
        rf"pyinit: payload \d+ \(/bin/sh\) ended: exit code {code}; "
        r"one of its processes was killed: out of memory: the limit is 32 MiB\n",
        done.stderr,
    )


COUNT = "echo oom_kill 3 > /sys/fs/cgroup/memory.events"


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("8388608", "the limit is 8 MiB"),
        ("max", "the machine's own, or a limit further up"),
        pytest.param(TOO_LONG, "the machine's own, or a limit further up", id="long"),
    ],
)
def test_an_out_of_memory_kill_is_explained_under_cgroup_v2(start: Start, limit: str, words: str) -> None:
    done = start(*shell(f"{INIT_WAITS} {KILL_AND_COUNT}"), place=version_2(limit)).wait()
    assert done.code == 137
    assert re.fullmatch(rf"pyinit: payload \d+ \(/bin/sh\) was killed: out of memory: {words}\n", done.stderr)


def test_an_out_of_memory_kill_below_an_orphan_is_reported(start: Start) -> None:
    script = f"{INIT_WAITS} (sh -c '{COUNT}; exit 137' &); read line"
    init = start(*shell(script), place=version_2("8388608"), stdin=subprocess.PIPE)
    line = init.expect_error("\n")
    assert re.fullmatch(
        r"pyinit: \d+ ended: exit code 137; one of its processes was killed: out of memory: the limit is 8 MiB\n", line
    )


def test_init_does_not_take_its_own_kill_for_the_kernels(start: Start) -> None:
    script = f"{INIT_WAITS} {COUNT}; trap '' TERM; echo ready; while :; do sleep 1; done"
    init = start("-k", "0", *shell(script), place=version_2("8388608"))
    init.expect("ready")
    init.signal(signal.SIGTERM)
    done = init.wait()
    assert done.code == 137
    assert re.fullmatch(
        r"pyinit: payload \d+ \(/bin/sh\) ended: killed by KILL; "
        r"one of its processes was killed: out of memory: the limit is 8 MiB",
        done.stderr.splitlines()[-1],
    )


def test_an_out_of_memory_kill_is_reported_once(start: Start) -> None:
    script = f"{INIT_WAITS} (sh -c '{COUNT}; kill -9 $$' &); read line; kill -9 $$"
    init = start(*shell(script), place=version_2("max"), stdin=subprocess.PIPE)
    init.expect_error("was killed: out of memory")
    init.end_input()
    done = init.wait()
    assert (done.code, done.stderr.count("\n")) == (137, 1)


@pytest.mark.parametrize(
    ("line", "folder", "files"),
    [
        ("0::/", "", "memory.events memory.max"),
        ("0::/below", "/below", "memory.events memory.max"),
        ("0::/outside", "", "memory.events memory.max"),
        ("4:cpu,memory:/", "/memory", "memory.oom_control memory.limit_in_bytes"),
        ("4:memory:/docker/1", "/memory/docker/1", "memory.oom_control memory.limit_in_bytes"),
        ("4:memory:/docker/1", "/memory", "memory.oom_control memory.limit_in_bytes"),
    ],
)
def test_inits_own_cgroup_is_found_wherever_it_is_mounted(start: Start, line: str, folder: str, files: str) -> None:
    """With a cgroup namespace and without one, with the group itself mounted at the top or all of them."""
    counter, limit = files.split()
    top = f"/sys/fs/cgroup{folder}"
    around = f"""
    mount -t tmpfs none /sys/fs/cgroup && mkdir -p {top} && cd {top} &&
    printf 'oom_kill_disable 0\\nunder_oom 0\\noom_kill 7\\n' > {counter} && echo {4 << 20} > {limit} &&
    printf '3:cpuset:/\\n{line}\\n' > /sys/fs/cgroup/own && mount --bind /sys/fs/cgroup/own /proc/$$/cgroup && exec "$@"
    """
    kill = f"{INIT_WAITS} printf 'under_oom 1\\noom_kill 8\\n' > {top}/{counter}; kill -9 $$"
    done = start(*shell(kill), place=[*NAMESPACE, "--mount", *shell(around)]).wait()
    assert done.code == 137
    assert done.stderr.endswith(" was killed: out of memory: the limit is 4 MiB\n")


@pytest.mark.parametrize(
    "content", ["", "oom_kill\\n", "low 0\\n", "oom_kill x\\n", pytest.param(f"oom_kill {TOO_LONG}\\n", id="long")]
)
def test_a_cgroup_file_without_a_count_explains_nothing(start: Start, content: str) -> None:
    around = f"""
    mount -t tmpfs none /sys/fs/cgroup &&
    printf '{content}' > /sys/fs/cgroup/memory.events &&
    echo '0::/' > /sys/fs/cgroup/own && mount --bind /sys/fs/cgroup/own /proc/$$/cgroup && exec "$@"
    """
    place = [*NAMESPACE, "--mount", *shell(around)]
    assert start(*shell(f"{INIT_WAITS} kill -9 $$"), place=place).wait() == (137, "", "")


@pytest.mark.parametrize("content", ["\\n", "0:\\n:\\n", "0::/a\\0b\\n", "\\377\\n"])
def test_a_file_of_the_image_in_the_place_of_proc_self_cgroup_explains_nothing(start: Start, content: str) -> None:
    """Regression: read where no /proc is mounted, it was an internal error, and the exit code was lost."""
    around = f"""
    mount -t tmpfs none /sys/fs/cgroup && printf '{content}' > /sys/fs/cgroup/own &&
    mount --bind /sys/fs/cgroup/own /proc/$$/cgroup && exec "$@"
    """
    place = [*NAMESPACE, "--mount", *shell(around)]
    assert start(*shell(f"{INIT_WAITS} kill -9 $$"), place=place).wait() == (137, "", "")


def test_an_unchanged_count_under_cgroup_v2_explains_nothing(start: Start) -> None:
    assert start(*shell("kill -9 $$"), place=version_2("max")).wait() == (137, "", "")
