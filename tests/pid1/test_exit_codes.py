"""The exit code tells how the payload ended."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support import procfs
from tests.support.commands import payload, shell
from tests.support.polling import until
from tests.support.types import Start
from tests.support.wide import wide

HARMLESS = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
DEADLY = sorted(set(range(1, 65)) - {32, 33} - HARMLESS - STOPPING)


@pytest.mark.parametrize("code", wide([0, 1, 2, 42, 125, 126, 127, 128, 143, 254, 255], 0, 42, 255))
def test_init_exits_with_the_payloads_exit_code(start: Start, place: str, code: int) -> None:
    assert start(*shell(f"exit {code}"), place=place).wait() == (code, "", "")


@pytest.mark.parametrize("number", wide(DEADLY, 1, 9, 15, 34, 64))
def test_a_payload_killed_by_a_signal_gives_128_plus_its_number(start: Start, number: int) -> None:
    assert start("sh", "-c", f"kill -{number} $$; exec sleep 1000").wait() == (128 + number, "", "")


def test_a_payload_killed_by_a_signal_gives_128_plus_its_number_under_a_subreaper(start: Start) -> None:
    assert start(*shell("kill -9 $$"), place="subreaper").wait() == (137, "", "")


@pytest.mark.parametrize(
    ("options", "code", "expected"),
    [
        (["-e", "143"], 143, 0),
        (["--remap-exit", "143"], 143, 0),
        (["--remap-exit=7:8"], 7, 8),
        (["-e", "7:8", "-e", "8:9"], 7, 8),
        (["-e", "7:8", "-e", "7:9"], 7, 9),
        (["-e", "0:5"], 0, 5),
        (["-e255:254"], 255, 254),
        (["-e", "143"], 42, 42),
    ],
)
def test_exit_codes_are_remapped(start: Start, options: list[str], code: int, expected: int) -> None:
    assert start(*options, *shell(f"exit {code}")).wait().code == expected


def test_a_death_by_a_signal_is_remapped_as_128_plus_its_number(start: Start, place: str) -> None:
    assert start("-e", "143", *shell("kill -TERM $$"), place=place).wait().code == 0


def test_init_does_not_take_a_stop_of_the_payload_for_its_exit(start: Start, place: str) -> None:
    init = start(*shell("echo ready; read word; exit 5"), place=place, stdin=(ends := os.pipe())[0])
    os.close(ends[0])
    init.expect("ready\n")
    os.kill(init.payload, signal.SIGSTOP)
    until(lambda: procfs.state(init.payload) == "T", "the payload's stop")
    os.kill(init.payload, signal.SIGCONT)
    until(lambda: procfs.state(init.payload) != "T", "its continuation")
    os.close(ends[1])
    assert init.wait().code == 5


def test_init_exits_when_the_payload_exits_and_not_when_another_child_does(start: Start, place: str) -> None:
    """Other children end with other codes, before the payload and through exec from another program."""
    init = start("--", *payload("receive"), place=place, prepare=["zombies=3"])
    init.expect("ready\n")
    os.kill(init.payload, signal.SIGKILL)
    assert init.wait().code == 137
