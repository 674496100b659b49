"""-k and -d: KILL behind the first stop signal, and a delay before it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.support import procfs
from tests.support.commands import ENVIRONMENT, compiled, payload, shell
from tests.support.harness import Init
from tests.support.polling import stays, until
from tests.support.survivors import LONG
from tests.support.types import OpenTerminal, Start

STOP_SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT]


def receiving(start: Start, *options: str, place: str = "pid1") -> Init:
    """Start a payload that ignores every signal but tells of it; wait until the init has nothing to do."""
    init = start(*options, "--", *payload("receive"), place=place)
    init.expect("got is ready\n")
    init.idle()
    return init


def told(init: Init) -> list[int]:
    """The numbers of the signals that the payload has got."""
    return [int(line.split()[1]) for line in init.stdout.splitlines()[1:]]


def took(init: Init, act: Callable[[], object]) -> float:
    """How long, in seconds, it takes from an act to the init's end with 137."""
    begun = time.monotonic()
    act()
    assert init.wait().code == 137
    return time.monotonic() - begun


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_with_k_kill_follows_a_stop_signal(start: Start, place: str, number: int) -> None:
    init = receiving(start, "-k", "0.2", place=place)
    assert took(init, lambda: init.signal(number)) >= 0.2
    assert told(init) == [number]
    assert init.stderr == "pyinit: payload still running 0.2 s after the first stop signal; sending KILL\n"


def test_with_k_0_kill_follows_a_stop_signal_at_once(start: Start, place: str) -> None:
    init = receiving(start, "-k", "0", place=place)
    init.signal(signal.SIGTERM)
    assert init.wait().code == 137


def test_with_k_no_kill_follows_other_signals(start: Start) -> None:
    init = receiving(start, "-v", "-k", "0", "-r", "TERM:USR1", "-r", "INT:HUP", "-r", "QUIT:0")
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, 40):
        init.signal(number)
    init.expect("got 40 ")
    init.idle()
    assert procfs.alive(init.payload)
    assert "KILL" not in init.stderr


def test_with_k_kill_follows_a_signal_that_becomes_a_stop_signal(start: Start) -> None:
    init = receiving(start, "-k", "0.1", "-r", "HUP:QUIT")
    assert took(init, lambda: init.signal(signal.SIGHUP)) >= 0.1
    assert told(init) == [signal.SIGQUIT]


def test_further_stop_signals_do_not_start_the_time_of_k_again(start: Start) -> None:
    init = receiving(start, "-v", "-k", LONG)
    for number in STOP_SIGNALS:
        init.signal(number)
        init.expect(f"got {int(number)} ")
    init.idle()
    assert init.stderr.count("KILL follows in 60 s") == 1


def test_a_payload_that_ends_in_time_keeps_its_code(start: Start, place: str) -> None:
    init = start("-k", LONG, "--", *shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done"), place=place)
    init.expect("ready\n")
    init.signal(signal.SIGTERM)
    assert init.wait() == (5, "ready\n", "")


@pytest.mark.parametrize("options", [["--stop-signal", "WINCH"], ["--stop-signal=HUP", "--stop-signal=SIGWINCH"]])
def test_with_k_kill_follows_a_signal_named_by_stop_signal(start: Start, place: str, options: list[str]) -> None:
    init = receiving(start, "-k", "0.2", *options, place=place)
    assert took(init, lambda: init.signal(signal.SIGWINCH)) >= 0.2
    assert told(init) == [signal.SIGWINCH]


def test_pyinit_options_may_name_a_stop_signal(start: Start) -> None:
    environment = {**ENVIRONMENT, "PYINIT_OPTIONS": "-k 0.2 --stop-signal RTMIN+3"}
    init = start("--", *payload("receive"), environment=environment)
    init.expect("got is ready\n")
    assert took(init, lambda: init.signal(37)) >= 0.2


@pytest.mark.parametrize(("sent", "got"), [(signal.SIGUSR1, signal.SIGHUP), (signal.SIGHUP, signal.SIGHUP)])
def test_a_signal_is_named_as_what_it_was_or_as_what_it_becomes(start: Start, sent: int, got: int) -> None:
    named = "USR1" if sent == signal.SIGUSR1 else "HUP"
    init = receiving(start, "-k", "0.1", "--stop-signal", named, "-r", "USR1:HUP")
    assert took(init, lambda: init.signal(sent)) >= 0.1
    assert told(init) == [got]


def test_with_d_a_signal_named_by_stop_signal_is_held_back(start: Start, place: str) -> None:
    init = receiving(start, "-d", "0.3", "--stop-signal", "WINCH", place=place)
    begun = time.monotonic()
    init.signal(signal.SIGWINCH)
    init.expect("got 28 0 ")
    assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize("text", ["KILL", "STOP", "CHLD", "9", "TREM", ""])
def test_an_argument_of_stop_signal_that_is_no_such_signal_is_refused(start: Start, text: str) -> None:
    code, out, error = start("--stop-signal", text, "--", "true").wait()
    assert (code, out) == (125, "")
    assert error.startswith(f"pyinit: --stop-signal {text or repr('')}: ")


def test_with_g_kill_reaches_a_payload_that_has_left_its_group(start: Start, place: str) -> None:
    """Another has stayed there, so that the group is there."""
    script = 'sleep 1000 & exec "$@"'
    init = start("-g", "-t", "0.1", "-k", "0.2", "--", *shell(script, *payload("outside")), place=place)
    init.expect("ready\n")
    assert procfs.group(init.payload) != init.payload
    assert took(init, lambda: init.signal(signal.SIGTERM)) >= 0.2


def test_with_g_a_signal_for_a_group_that_is_gone_goes_to_the_payload(start: Start, place: str) -> None:
    init = start("-g", "--", *payload("outside", "tell"), place=place)
    init.expect("ready\n")
    assert procfs.group(init.payload) != init.payload
    init.signal(signal.SIGTERM)
    init.expect("got 15\n")


@pytest.mark.parametrize("option", ["-g", "-a"])
def test_with_k_kill_goes_where_the_stop_signal_went(start: Start, place: str, option: str) -> None:
    """To the group, or to everyone whatever its session: nobody is left for a grace period then."""
    away = "setsid " if option == "-a" else ""
    script = f'{away}"$1" child & exec "$1" got'
    init = start(option, "-t", LONG, "-k", "0.2", "--", *shell(script, str(compiled("receive"))), place=place)
    until(lambda: "got is ready" in init.stdout and "child is ready" in init.stdout, "both")
    child = next(pid for pid in procfs.descendants(init.pid) if pid != init.payload)
    init.signal(signal.SIGTERM)
    assert init.wait().code == 137
    assert not procfs.alive(child)
    assert "child 15 " in init.stdout


def test_what_the_terminal_sends_to_the_payload_itself_is_no_stop_signal(
    terminal: OpenTerminal, program: list[str]
) -> None:
    one = terminal(*program, "-c", "-k", "0", "-d", LONG, "--", *payload("receive"))
    one.expect("got is ready")
    one.press(b"\x03")
    one.expect("got 2 128 0\r\n")
    os.kill(one.pid, signal.SIGHUP)
    one.expect("got 1 0 ")
    # Neither KILL nor the delay has begun: this one would be the second.
    os.kill(one.pid, signal.SIGTERM)
    os.kill(one.pid, 40)
    one.expect("got 40 0 ")
    assert "got 15" not in one.screen


def test_with_d_the_first_stop_signal_is_held_back(start: Start, place: str) -> None:
    init = receiving(start, "-d", "0.3", place=place)
    begun = time.monotonic()
    init.signal(signal.SIGTERM)
    init.expect("got 15 0 ")
    assert time.monotonic() - begun >= 0.3


def test_with_d_a_second_stop_signal_is_forwarded_at_once_in_place_of_the_first(start: Start, place: str) -> None:
    init = receiving(start, "-d", LONG, place=place)
    init.signal(signal.SIGTERM)
    # The lowest number is taken first: INT would be the first of the two otherwise.
    until(lambda: not procfs.signals(init.pid, "ShdPnd"), "TERM taken")
    init.signal(signal.SIGINT)
    init.expect("got 2 0 ")
    init.signal(signal.SIGTERM)
    init.expect("got 15 0 ")
    init.idle()
    assert told(init) == [signal.SIGINT, signal.SIGTERM]


def test_with_d_other_signals_are_not_held_back(start: Start) -> None:
    init = receiving(start, "-d", LONG, "-r", "QUIT:USR1")
    init.signal(signal.SIGTERM)
    for number in (signal.SIGHUP, signal.SIGQUIT, 40):
        init.signal(number)
    init.expect("got 40 ")
    assert set(told(init)) == {signal.SIGHUP, signal.SIGUSR1, 40}


def test_with_d_a_payload_that_exits_during_the_delay_ends_init(start: Start, place: str) -> None:
    init = receiving(start, "-d", LONG, place=place)
    init.signal(signal.SIGTERM)
    until(lambda: not procfs.signals(init.pid, "ShdPnd"), "TERM taken")
    os.kill(init.payload, signal.SIGKILL)
    assert init.wait().code == 137
    assert told(init) == []


def test_with_d_and_k_the_delay_comes_before_the_time_until_kill(start: Start, place: str) -> None:
    init = receiving(start, "-d", "0.2", "-k", "0.2", place=place)
    assert took(init, lambda: init.signal(signal.SIGTERM)) >= 0.4
    assert told(init) == [signal.SIGTERM]


def test_an_init_that_waits_for_its_delay_does_not_wake_up_before(start: Start) -> None:
    init = receiving(start, "-d", LONG)
    init.signal(signal.SIGTERM)
    until(lambda: not procfs.signals(init.pid, "ShdPnd"), "TERM taken")
    init.idle()
    before = procfs.switches(init.pid)
    stays(lambda: procfs.switches(init.pid) == before, "no wake-up", 1.2)
