"""No flood of signals hides the payload's end, a deadline, or a stop signal from outside."""

from __future__ import annotations

import signal
import subprocess

import pytest

from pyinit import signals
from tests.long.floods.flood import FLOODS, Flood, flooded, through
from tests.support.commands import payload, shell
from tests.support.types import Start
from tests.support.users import user_of_its_own
from tests.support.wide import wide

# The worst of them: what is sent to the thread comes before everything that is sent to the process.
WORST = Flood("tgkill", (signal.SIGRTMIN, signal.SIGRTMAX))

# What init passes on and nothing but a flood: no stop signal, none that stops or continues, none of libc's.
FORWARDED = {*range(1, 65)} - {int(number) for number in (*signals.STOP_SIGNALS, *signals.SUSPENDING)}
FORWARDED -= {*signals.NOT_FORWARDED, *signals.LIBC, signals.CONT}


@pytest.mark.parametrize("flood", wide(FLOODS, FLOODS[1], WORST), ids=lambda flood: flood.name)
def test_no_flood_of_signals_hides_a_stop_signal_or_the_payloads_exit(
    program: list[str], place: str, flood: Flood
) -> None:
    through([*program, "--"], place, flood, 4)


@pytest.mark.parametrize("senders", [1, 20])
def test_no_flood_of_more_or_fewer_senders_hides_a_stop_signal_or_the_exit(
    program: list[str], place: str, senders: int
) -> None:
    through([*program, "--"], place, WORST, senders)


def test_a_flood_of_signals_does_not_delay_the_kill_of_k(start: Start, program: list[str], place: str) -> None:
    stubborn = "trap '' TERM 34 64; echo ready; exec sleep 1000"
    init = start("-k", "0.5", "--", *shell(stubborn), program=as_other(program), place=place)
    init.expect("ready\n")
    with flooded(init, WORST, 4):
        init.signal(signal.SIGTERM)
        assert init.wait().code == 128 + signal.SIGKILL


def test_a_flood_of_signals_does_not_delay_the_end_of_the_grace_period(
    start: Start, program: list[str], place: str
) -> None:
    leftover = "trap '' TERM 34 64; (echo ready; exec sleep 1000) & read _; exit 5"
    init = start("-t", "0.5", "--", *shell(leftover), program=as_other(program), place=place, stdin=subprocess.PIPE)
    init.expect("ready\n")
    with flooded(init, WORST, 4):
        init.end_input()
        assert init.wait().code == 5


def test_a_flood_of_signals_does_not_keep_a_pausing_init_from_exiting(
    start: Start, program: list[str], place: str
) -> None:
    init = start("-P", program=as_other(program), place=place)
    init.idle()
    with flooded(init, WORST, 4):
        init.signal(signal.SIGTERM)
        assert init.wait().code == 0


def test_a_flood_does_not_hide_a_stop_signal_when_each_signal_takes_a_walk_through_proc(
    start: Start, program: list[str]
) -> None:
    """Regression: with -a as a subreaper TERM came after 80 others, each of which read /proc: 4 s later."""
    init = start("-a", "--", *payload("crowd", "600"), program=as_other(program), place="subreaper")
    init.expect("ready\n")
    with flooded(init, Flood("tgkill", tuple(sorted(FORWARDED))), 2):
        init.signal(signal.SIGTERM)
        init.expect("TERM\n", 2)
        assert init.wait().code == 42


def as_other(program: list[str]) -> list[str]:
    """Run pyinit as a user of its own: the flood would fill the queue of all root's processes."""
    return [*user_of_its_own(), *program]
