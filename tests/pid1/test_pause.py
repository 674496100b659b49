"""-P: init without a payload, which reaps until it is told to end."""

from __future__ import annotations

import re
import signal

import pytest

from tests.support import procfs
from tests.support.commands import ENVIRONMENT
from tests.support.polling import until
from tests.support.types import Start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_a_pause_with_0(start: Start, place: str, number: int) -> None:
    init = start("-P", place=place)
    init.idle()
    init.signal(number)
    assert init.wait() == (0, "", "")


def test_a_signal_that_is_named_as_a_stop_signal_ends_a_pause(start: Start, place: str) -> None:
    init = start("-P", "--stop-signal", "QUIT", "--stop-signal=WINCH", place=place)
    init.idle()
    init.signal(signal.SIGWINCH)
    assert init.wait() == (0, "", "")


def test_other_signals_do_not_end_a_pause(start: Start, place: str) -> None:
    init = start("--pause", place=place)
    init.idle()
    for number in sorted(set(range(1, 65)) - {2, 9, 15, 19, 32, 33}):
        init.signal(number)
    init.idle()
    assert init.process.poll() is None
    init.signal(signal.SIGTERM)
    assert init.wait() == (0, "", "")


def test_a_pausing_init_reaps_the_children_it_was_born_with(start: Start, place: str) -> None:
    init = start("-P", place=place, prepare=["zombies=70", "cloned=3"])
    init.idle()
    until(lambda: not procfs.children(init.pid), "all reaped")


def test_a_pause_can_be_stopped_before_it_has_begun(start: Start, place: str) -> None:
    assert start("-P", place=place, prepare=["block=15", "raise=15"]).wait() == (0, "", "")


@pytest.mark.parametrize(
    ("container", "number"),
    [
        *(("systemd-nspawn", 37), ("systemd-nspawn", 38), ("systemd-nspawn", 47), ("systemd-nspawn", 48)),
        ("podman", 37),
        ("lxc", 30),
    ],
)
def test_a_containers_halt_signal_ends_a_pause(start: Start, container: str, number: int) -> None:
    """RTMIN+3 and others, and PWR under lxc, mean TERM."""
    init = start("-P", environment={**ENVIRONMENT, "container": container})
    init.idle()
    init.signal(number)
    assert init.wait() == (0, "", "")


def test_a_pausing_init_rewrites_signals(start: Start, place: str) -> None:
    init = start("-P", "-r", "HUP:TERM", "-r", "INT:0", place=place)
    init.idle()
    init.signal(signal.SIGINT)
    init.idle()
    assert init.process.poll() is None
    init.signal(signal.SIGHUP)
    assert init.wait() == (0, "", "")


def test_a_stop_signal_that_is_rewritten_for_a_payload_ends_a_pause(start: Start, place: str) -> None:
    """PYINIT_OPTIONS may be an image's, for its server."""
    init = start("-P", "-r", "TERM:QUIT", place=place)
    init.idle()
    init.signal(signal.SIGTERM)
    assert init.wait() == (0, "", "")


def test_with_w_a_pausing_init_names_the_processes_it_reaps(start: Start, place: str) -> None:
    init = start("-P", "-w", place=place, prepare=["zombies=1"])
    assert re.search(r"pyinit: reaped \d+ \(prepare.*\): exit code \d+\n", init.expect_error("\n"))
