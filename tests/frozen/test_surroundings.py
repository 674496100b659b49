"""What the file needs of the world around it, which is nothing, and what it tells of itself.

What it hands on is seen in tests/pid1/test_inherited_state.py; here only what another's interpreter would look at.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from freezing import elf

from tests.frozen.segments import segments
from tests.support.commands import PROGRAMS

BUSYBOX = "/bin/busybox"
NOBODY = 65534
WRITABLE = 2  # a flag of a segment
HOSTILE = {
    "PYTHONHOME": "/nowhere",
    "PYTHONPATH": "/nowhere",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONINSPECT": "1",
    "PYTHONVERBOSE": "1",
    "PYTHONMALLOC": "debug",
    "PYTHONSTARTUP": "/nowhere",
    "LD_PRELOAD": "/nowhere.so",
    "LD_LIBRARY_PATH": "/nowhere",
    "LC_ALL": "tr_TR.ISO-8859-9",
    "GLIBC_TUNABLES": "glibc.malloc.check=3",
    "MALLOC_ARENA_MAX": "1",
}


def run(
    *words: object,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [os.fspath(word) if isinstance(word, Path) else str(word) for word in words],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )


@pytest.fixture
def bare_root(frozen: Path, tmp_path: Path) -> Path:
    """A folder with nothing in it but the file and a static payload."""
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(frozen, root / "pyinit")
    shutil.copy(BUSYBOX, root / "busybox")
    for each in (tmp_path, root):
        each.chmod(0o755)
    return root


def test_the_file_works_in_a_root_with_nothing_else_in_it(bare_root: Path) -> None:
    """Read-only, no /proc, no /dev, nobody's user, no privileges to gain, no streams, no environment."""
    script = f"""
        mount --make-rprivate / && mount --bind {bare_root} {bare_root} && mount -o remount,ro,bind {bare_root} &&
        exec env -i /usr/sbin/chroot --userspec={NOBODY}:{NOBODY} {bare_root} \\
            /pyinit -- /busybox sh -c 'exit 42' <&- >&- 2>&-
    """
    namespace = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    done = run(*namespace, "setpriv", "--no-new-privs", "sh", "-c", script)
    assert (done.returncode, done.stderr) == (42, "")


def test_the_frozen_file_hands_the_environment_on_untouched(frozen: Path) -> None:
    environment = {**HOSTILE, "PATH": os.defpath, "EMPTY": ""}
    bare = run(BUSYBOX, "env", environment=environment)
    under = run(frozen, BUSYBOX, "env", environment=environment)
    assert (under.returncode, under.stderr) == (0, "")
    assert under.stdout == bare.stdout


@pytest.mark.parametrize(("less", "code"), [(0, 42), (elf.PAGE, -signal.SIGSEGV)], ids=["enough", "a page less"])
def test_the_file_needs_no_more_memory_than_its_data_segment_says(frozen: Path, less: int, code: int) -> None:
    """With less the kernel cannot map it, and ends what has called exec."""
    (data,) = (each for each in segments(frozen) if each.type == elf.LOAD and each.flags & WRITABLE)
    limit = -(-data.in_memory // elf.PAGE) * elf.PAGE - less
    done = run("/usr/bin/prlimit", f"--data={limit}", frozen, BUSYBOX, "sh", "-c", "exit 42", environment={})
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_version_names_the_sources_and_licence_the_works(frozen: Path) -> None:
    (line,) = run(frozen, "--version").stdout.splitlines()
    assert line.startswith("pyinit ")
    assert line.count(" - git.") == 1
    verbose = run(frozen, "-v", "--version").stdout
    for name in ("cpython 3.11.2", "python-prctl 1.8.1", "setproctitle 1.3.8", "musl"):
        assert name in verbose
    licence = run(PROGRAMS["frozen"][0], "--license").stdout
    for text in ("PYTHON SOFTWARE FOUNDATION LICENSE", "Rich Felker", "Kaarsemaker", "Daniele Varrazzo"):
        assert text in licence
