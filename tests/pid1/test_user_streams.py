"""-u gives the three standard streams to the user, so that the payload can open /dev/stdout and /dev/stderr."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import shell
from tests.support.polling import PATIENCE
from tests.support.types import OpenTerminal, Start
from tools.namespace import NAMESPACE

USER = 65534
AS_USER = ("-u", f"{USER}:{USER}")
OPEN_BOTH = "echo out >>/dev/stdout; echo err >>/dev/stderr"
WITHOUT_CHOWN = ("setpriv", "--bounding-set=-chown", "--inh-caps=-all")


def device(path: Path, minor: int) -> int:
    """Make one of the memory devices (3: null, 5: zero), which only root may open, and open it."""
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, minor))
    return os.open(path, os.O_RDWR)


def test_with_u_the_payload_can_open_the_pipes_that_are_its_streams(start: Start, place: str) -> None:
    init = start(*AS_USER, "--", *shell(f"{OPEN_BOTH}; cat /dev/stdin"), place=place, stdin=subprocess.PIPE)
    init.expect("out\n")
    init.expect_error("err\n")
    assert init.process.stdin
    init.process.stdin.write(b"in\n")
    init.end_input()
    assert init.wait() == (0, "out\nin\n", "err\n")


def test_with_u_the_payload_can_open_the_files_that_are_its_streams(start: Start, place: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch(0o600)
    os.chown(log, 0, 4242)
    with log.open("ab") as file:
        start(*AS_USER, "--", *shell(OPEN_BOTH), place=place, stdout=file.fileno(), stderr=file.fileno()).wait()
    assert log.read_text() == "out\nerr\n"
    assert (log.stat().st_uid, log.stat().st_gid) == (USER, 4242)


@pytest.mark.parametrize("around", [NAMESPACE, ()], ids=["pid1", "subreaper"])
def test_with_u_the_payload_can_open_its_terminal(
    terminal: OpenTerminal, program: list[str], around: tuple[str, ...]
) -> None:
    script = f"{OPEN_BOTH}; stat --dereference --format=%u /dev/fd/0; echo done"
    one = terminal(*around, *program, *AS_USER, "--", *shell(script))
    assert one.expect("done") == f"out\r\nerr\r\n{USER}\r\ndone"
    assert one.wait() == 0


def test_with_u_the_null_device_alone_keeps_its_owner(start: Start, place: str, tmp_path: Path) -> None:
    """It belongs to everybody; a device beside it does not."""
    null, zero = device(tmp_path / "null", 3), device(tmp_path / "zero", 5)
    try:
        assert start(*AS_USER, "--", "true", place=place, stdin=null, stderr=zero).wait().code == 0
    finally:
        os.close(null)
        os.close(zero)
    assert (tmp_path / "null").stat().st_uid == 0
    assert (tmp_path / "zero").stat().st_uid == USER


def test_with_u_a_stream_on_a_read_only_file_system_keeps_its_owner(start: Start, tmp_path: Path) -> None:
    """EROFS is ignored."""
    given = tmp_path / "given"
    given.write_text("given\n")
    mounted = f"mount --bind {given} {given} && mount -o remount,bind,ro {given} && exec <{given}"
    place = ["/usr/bin/unshare", "--mount", *shell(f'{mounted} && exec "$@"'), *NAMESPACE]
    assert start(*AS_USER, "--", "cat", place=place).wait() == (0, "given\n", "")
    assert given.stat().st_uid == 0


def test_without_the_capability_chown_the_payload_runs_all_the_same(start: Start, tmp_path: Path) -> None:
    """EPERM is ignored."""
    log = tmp_path / "log"
    with log.open("wb") as file:
        init = start(*AS_USER, "--", "echo", "runs", place=[*NAMESPACE, *WITHOUT_CHOWN], stdout=file.fileno())
        assert init.wait().code == 0
    assert (log.read_text(), log.stat().st_uid) == ("runs\n", 0)


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_with_u_closed_streams_are_ignored(start: Start, place: str, closed: tuple[int, ...]) -> None:
    prepare = [f"close={descriptor}" for descriptor in closed]
    assert start(*AS_USER, "--", *shell("exit 3"), place=place, prepare=prepare).wait().code == 3


def test_without_u_no_stream_is_looked_at(frozen: Path, tmp_path: Path) -> None:
    """An ordinary start makes no system call for this."""
    log = tmp_path / "log"
    traced = ["strace", "-qq", "-o", str(log), "-e", "trace=fstat,newfstatat,statx,fchown,fchownat", str(frozen)]
    subprocess.run([*traced, "--", "true"], check=True, timeout=PATIENCE)
    assert log.read_text() == ""
    subprocess.run([*traced, *AS_USER, "--", "true"], check=True, timeout=PATIENCE, stderr=subprocess.PIPE)
    assert "fchown(2, 65534, -1)" in log.read_text()
