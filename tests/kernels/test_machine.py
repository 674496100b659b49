"""The whole life of pyinit as PID 1 of a machine, where kernel threads are processes too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.kernels.machine import ENDED, Line, booted, initramfs
from tests.support.requirements import installed, need
from tools.debian_kernel import kernel

# The last thing that the payload says; the end comes as soon after it as nothing is left.
LAST = "payload ends"
PAYLOAD = f"""\
#!/bin/sh
busybox mount -t proc proc /proc
echo "$(busybox ps | busybox grep -c '\\[k')" kernel threads
echo {LAST}
exit 7
"""
# An orphan that needs 0.3 s to end once it is asked.
LEAVES = f"""\
#!/bin/sh
busybox mount -t proc proc /proc
sh -c 'trap "busybox sleep 0.3; echo orphan ends; exit" TERM; echo up >/ready; while :; do busybox sleep 0.1; done' &
until [ -e /ready ]; do busybox sleep 0.01; done
echo {LAST}
exit 7
"""
# Far less than the grace period of 3 s and the second after KILL, although the processor is emulated.
SOON = 2.5


@pytest.fixture(scope="session")
def debian_kernel() -> Path:
    """Debian's kernel."""
    need("qemu-system-x86_64", "apt-get", "dpkg-deb")
    return kernel()


@pytest.mark.parametrize("words", [[], ["-v"], ["-g"], ["-a"]], ids=lambda words: "".join(words) or "default")
def test_kernel_threads_do_not_count_as_processes_left(
    debian_kernel: Path, frozen: Path, tmp_path: Path, words: Sequence[str]
) -> None:
    """Regression: each end took 4.1 s, and said that kthreadd was still there."""
    contents = initramfs(frozen, Path(installed("busybox")).resolve(), PAYLOAD)
    code, lines = booted(debian_kernel, tmp_path, contents, [*words, "/payload"])
    assert code == 7, lines
    assert any(line.text.endswith("kernel threads") and not line.text.startswith("0 ") for line in lines), lines
    assert said(lines) - {"pyinit: payload"} == set(), lines
    assert ending(lines) < SOON, lines


def test_an_orphan_beside_kernel_threads_gets_term_and_is_waited_for(
    debian_kernel: Path, frozen: Path, tmp_path: Path
) -> None:
    contents = initramfs(frozen, Path(installed("busybox")).resolve(), LEAVES)
    code, lines = booted(debian_kernel, tmp_path, contents, ["/payload"])
    assert code == 7, lines
    assert "orphan ends" in [line.text for line in lines], lines
    assert said(lines) == set(), lines
    assert ending(lines) < SOON, lines


def said(lines: Sequence[Line]) -> set[str]:
    """Return the first two words of each line that pyinit wrote."""
    return {" ".join(line.text.split()[:2]) for line in lines if line.text.startswith("pyinit: ")}


def ending(lines: Sequence[Line]) -> float:
    """Return the seconds from the payload's last word to PID 1's end."""
    last = next(line.seconds for line in lines if line.text == LAST)
    # A kernel says it twice if there is time.
    return next(line.seconds for line in lines if ENDED.search(line.text)) - last
