"""-W: init stays until all others have ended by themselves."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.polling import until
from tests.support.procfs import title
from tests.support.survivors import LONG, Leaving
from tests.support.types import Start


def test_with_wait_the_processes_left_may_exit_by_themselves(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-W"], ["telling:2", "deaf"], place=place).end()
    for pid in leaving.left:
        leaving.init.idle()
        assert procfs.alive(leaving.init.pid)
        kill(pid)
    leaving.wait()
    assert "told" not in leaving.init.stdout
    assert leaving.init.stderr == ""


def test_with_wait_init_exits_at_once_if_no_process_is_left(start: Start, place: str) -> None:
    Leaving(start, ["-W"], [], place=place).end().wait()


def test_with_wait_children_of_the_processes_left_are_waited_for_as_well(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-W"], ["deep"], place=place).end()
    child = next(pid for pid in leaving.left if not procfs.children(pid))
    kill(next(pid for pid in leaving.left if pid != child))
    until(lambda: procfs.parent(child) in (leaving.init.pid, 0), "an orphan")
    leaving.init.idle()
    assert procfs.alive(child)
    kill(child)
    leaving.wait()


def test_with_wait_signals_go_to_the_processes_left(start: Start, place: str) -> None:
    """Stop signals too, as often as they come: there is no period that a second could end."""
    leaving = Leaving(start, ["-W"], ["telling:2"], place=place).end()
    leaving.init.idle()
    for times in (1, 2, 3):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            leaving.init.signal(number)
            leaving.says(f"told {int(number)}", 2 * times)
    for pid in leaving.left:
        os.kill(pid, signal.SIGUSR2)
    leaving.wait()


def test_with_wait_a_stop_signal_held_back_goes_to_the_processes_left(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-W", "-d", LONG], ["telling:2"], place=place)
    leaving.init.signal(signal.SIGINT)
    until(lambda: not procfs.signals(leaving.init.pid, "ShdPnd"), "INT taken")
    leaving.end()
    leaving.says("told 2", 2)
    for pid in leaving.left:
        os.kill(pid, signal.SIGUSR2)
    leaving.wait()


def test_with_wait_a_stop_signal_that_has_ended_the_payload_goes_to_the_processes_left(
    start: Start, place: str
) -> None:
    """Regression: without -t what was left never heard of the stop, and docker's KILL ended it."""
    leaving = Leaving(start, ["-W", "-e", "8:7"], ["telling:2", "deaf"], place=place)
    leaving.init.signal(signal.SIGTERM)
    leaving.says("told 15", 2)
    leaving.says("told 18", 2)
    for pid in leaving.left:
        kill(pid)
    assert leaving.init.wait().code == 7


def test_with_wait_a_daemon_alone_gets_hup_and_its_workers_do_not(start: Start, place: str) -> None:
    """Regression: HUP for `gunicorn -D` killed its workers, which leave HUP at its default."""
    leaving = Leaving(start, ["-W"], ["family"], place=place).end()
    until(lambda: title(leaving.init.pid) == "pyinit: waiting, 2 left", "it waits")
    leaving.init.signal(signal.SIGHUP)
    leaving.says("told 1", 1)
    leaving.init.signal(40)
    leaving.says("told 40", 1)
    leaving.says("child told 1", 0)
    for pid in leaving.left:
        os.kill(pid, signal.SIGUSR2)
    leaving.wait()


@pytest.mark.parametrize("option", ["-g", "-a"])
def test_with_wait_and_g_or_a_signals_go_to_all_processes_left(start: Start, place: str, option: str) -> None:
    leaving = Leaving(start, ["-W", option], ["family"], place=place).end()
    until(lambda: title(leaving.init.pid) == "pyinit: waiting, 2 left", "it waits")
    leaving.init.signal(signal.SIGHUP)
    leaving.says("told 1", 1)
    leaving.says("child told 1", 1)
    for pid in leaving.left:
        os.kill(pid, signal.SIGUSR2)
    leaving.wait()


def test_with_wait_a_signal_named_by_stop_signal_begins_the_grace_period(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-W", "-t", "0.3", "--stop-signal", "WINCH"], ["telling", "deaf"], place=place).end()
    until(lambda: title(leaving.init.pid) == "pyinit: waiting, 2 left", "it waits")
    leaving.init.signal(signal.SIGWINCH)
    leaving.says("told 28", 1)
    assert leaving.wait() >= 0.3
    leaving.gone()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_with_wait_a_stop_signal_begins_the_grace_period(start: Start, place: str, number: int) -> None:
    leaving = Leaving(start, ["-W", "-t", "0.3"], ["telling", "deaf"], place=place).end()
    until(lambda: title(leaving.init.pid) == "pyinit: waiting, 2 left", "it waits")
    assert "told" not in leaving.init.stdout
    leaving.init.signal(number)
    leaving.says(f"told {int(number)}", 1)
    assert leaving.wait() >= 0.3
    leaving.gone()


@pytest.mark.parametrize(("rule", "sent", "told"), [("TERM:HUP", 15, 1), ("HUP:TERM", 1, 15)])
def test_with_wait_a_stop_signal_before_or_after_its_rewrite_begins_the_grace_period(
    start: Start, place: str, rule: str, sent: int, told: int
) -> None:
    leaving = Leaving(start, ["-W", "-t", "0.3", "-r", rule], ["telling"], place=place).end()
    until(lambda: title(leaving.init.pid) == "pyinit: waiting, 1 left", "it waits")
    leaving.init.signal(sent)
    leaving.says(f"told {told}", 1)
    assert leaving.wait() >= 0.3
    leaving.gone()


@pytest.mark.parametrize("options", [["-e", "8:7"], ["-r", "TERM:USR1"]], ids=["as it is", "rewritten"])
def test_with_wait_a_stop_signal_before_the_payloads_exit_begins_the_grace_period_then(
    start: Start, place: str, options: list[str]
) -> None:
    """Regression: one that was rewritten did not count before the payload's exit, and the period never began."""
    leaving = Leaving(start, ["-W", "-t", "0.3", *options], ["telling"], place=place)
    leaving.init.signal(signal.SIGTERM)
    leaving.says("told 18", 1)
    leaving.wait()
    leaving.gone()


def test_with_wait_and_a_grace_period_of_0_a_stop_signal_ends_init_at_once(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-W", "-t", "0"], ["telling"], place=place).end()
    until(lambda: title(leaving.init.pid) == "pyinit: waiting, 1 left", "it waits")
    leaving.init.signal(signal.SIGTERM)
    leaving.wait()
    with leaving.surviving() as left:
        assert left == ([] if place == "pid1" else leaving.left)


def test_an_init_that_waits_does_not_wake_up(start: Start, place: str) -> None:
    leaving = Leaving(start, ["-W"], ["telling"], place=place).end()
    until(lambda: title(leaving.init.pid) == "pyinit: waiting, 1 left", "it waits")
    assert leaving.init.idle()[3] == "0x0"
    kill(leaving.left[0])
    leaving.wait()
