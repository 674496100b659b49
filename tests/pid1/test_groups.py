"""The payload's process group and session: its own, init's with -c, a session with -S."""

from __future__ import annotations

import signal

import pytest

from tests.support import procfs
from tests.support.polling import until
from tests.support.receiver import receiver, until_marked
from tests.support.types import Start


def test_the_payload_leads_a_process_group_of_its_own(start: Start, place: str) -> None:
    init = receiver(start, place=place)
    assert procfs.group(init.payload) == init.payload
    assert procfs.session(init.payload) == procfs.session(init.pid)


@pytest.mark.parametrize("option", ["-c", "--same-group"])
def test_with_c_the_payload_stays_in_inits_process_group(start: Start, place: str, option: str) -> None:
    init = receiver(start, option, place=place)
    assert procfs.group(init.payload) == procfs.group(init.pid)
    init.signal(signal.SIGUSR1)
    init.expect("got 10 ")
    assert until_marked(init) == []


@pytest.mark.parametrize("option", ["-S", "--session"])
def test_with_session_the_payload_leads_a_session_of_its_own(start: Start, place: str, option: str) -> None:
    init = receiver(start, option, place=place)
    assert procfs.session(init.payload) == procfs.group(init.payload) == init.payload


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_job_control_signals_stop_a_payload_with_its_own_session(start: Start, number: int) -> None:
    """They are sent as STOP: for an orphaned group the kernel drops the others."""
    init = start("-S", "sleep", "1000")
    until(lambda: procfs.command(init.payload) == ["sleep", "1000"], "sleep")
    init.signal(number)
    until(lambda: procfs.state(init.payload) == "T", "the payload's stop")
    init.signal(signal.SIGCONT)
    until(lambda: procfs.state(init.payload) == "S", "its continuation")


def test_a_rewrite_comes_before_the_stop_of_a_payload_with_its_own_session(start: Start) -> None:
    init = receiver(start, "-S", "-r", "TSTP:USR1")
    init.signal(signal.SIGTSTP)
    init.expect("got 10 ")
