"""-w names each orphan that is reaped, though it is dead already."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest

from tests.support import procfs
from tests.support.commands import shell
from tests.support.polling import until
from tests.support.types import Start


@pytest.mark.parametrize(
    ("last", "fate"), [("exit 4", "exit code 4"), ("kill -USR1 $$", "killed by USR1")], ids=["exit", "signal"]
)
def test_with_w_a_reaped_orphans_name_and_end_are_logged(start: Start, place: str, last: str, fate: str) -> None:
    init = start("-w", *shell(f"(bash -c '{last}; :' &); read line"), stdin=subprocess.PIPE, place=place)
    line = init.expect_error(fate)
    assert re.search(r"pyinit: reaped \d+ \(bash\): ", line)


def test_with_the_proc_of_another_namespace_an_orphan_is_logged_without_a_name(start: Start) -> None:
    """Without --mount-proc /proc has the pids of another namespace, where the orphan's pid is somebody else's."""
    place = ["unshare", "--pid", "--fork", "--kill-child"]
    init = start("-w", *shell("(bash -c 'exit 4; :' &); read line"), stdin=subprocess.PIPE, place=place)
    assert re.fullmatch(r"pyinit: reaped \d+: exit code 4\n", init.expect_error("\n"))


def test_an_orphans_name_cannot_inject_escape_sequences_into_the_log(start: Start) -> None:
    rename = "import ctypes; ctypes.CDLL(None).prctl(15, b'a) R\\x1b[31m\\n', 0, 0, 0)"
    init = start("-w", *shell('(python3 -c "$1" &); read line', rename), stdin=subprocess.PIPE)
    assert re.fullmatch(r"pyinit: reaped \d+ \(a\) R\\x1b\[31m\\n\): exit code 0\n", init.expect_error("\n"))


@pytest.mark.parametrize(
    ("name", "said"),
    [(rb"\x9b31mred", rb"\x9b31mred"), (rb"\xc2\x9b31mred", rb"\x9b31mred"), (rb"caf\xe9", b"caf\xe9")],
    ids=["8 bits", "utf-8", "harmless"],
)
def test_an_orphans_name_cannot_inject_8_bit_escape_sequences_into_the_log(
    start: Start, name: bytes, said: bytes
) -> None:
    """C1 control characters begin escape sequences too (ECMA-48)."""
    rename = b"import ctypes; ctypes.CDLL(None).prctl(15, b'%s', 0, 0, 0)" % name
    init = start("-w", *shell('(python3 -c "$1" &); read line', os.fsdecode(rename)), stdin=subprocess.PIPE)
    line = os.fsencode(init.expect_error("\n"))
    assert re.fullmatch(rb"pyinit: reaped \d+ \(%s\): exit code 0\n" % re.escape(said), line)


def test_an_orphans_name_cannot_break_out_of_a_json_log_line(start: Start) -> None:
    """What it looks like is another object, or more of this one."""
    rename = r"""import ctypes; ctypes.CDLL(None).prctl(15, b'"}\n{"pid": 1, \\', 0, 0, 0)"""
    init = start("--log-format", "json", "-w", *shell('(python3 -c "$1" &); read line', rename), stdin=subprocess.PIPE)
    line = json.loads(init.expect_error("\n"))
    assert re.fullmatch(r"""reaped \d+ \("}\\n{"pid": 1, \\\): exit code 0""", line["message"])
    assert line["pid"] > 1
    assert init.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [["-vv"], ["-w", "-v"]])
def test_with_vv_reaped_orphans_are_named(start: Start, options: list[str]) -> None:
    init = start(*options, *shell("(bash -c 'exit 4; :' &); read line"), stdin=subprocess.PIPE)
    init.expect_error("(bash): exit code 4")


def test_without_w_nothing_is_logged_of_orphans(start: Start) -> None:
    init = start(*shell("(true & echo $!); read line; exit 3"), stdin=subprocess.PIPE)
    init.expect("\n")
    until(lambda: procfs.children(init.pid) == [init.payload], "an orphan that has been reaped")
    init.end_input()
    assert init.wait()[::2] == (3, "")


def test_with_w_the_payload_is_not_logged_as_an_orphan(start: Start, place: str) -> None:
    assert start("-w", *shell("exit 3"), place=place).wait() == (3, "", "")
