"""What a process starts because of a stop signal, such as the clean-up in a trap, is not signalled itself."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from tests.support import procfs
from tests.support.commands import Word, payload
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.survivors import LONG
from tests.support.types import Start
from tools.namespace import NAMESPACE

TIMES = int(os.environ.get("PYINIT_TIMES", "30"))
TRAP = """
trap '/bin/sleep 0.02; [ $? = 0 ] && echo done || echo killed; exit 5' TERM
/bin/sleep 20 &
echo ready
wait
"""
# Not PID 1 of that namespace, where the next pid can be chosen.
IN_NAMESPACE = [*NAMESPACE, "/bin/sh", "-c", '"$@"; exit $?', "sh"]


def _only_runs(init: Init, program: str) -> bool:
    """Return True if each child of the payload's runs this program."""
    return all(procfs.command(pid)[:1] == [program] for pid in procfs.children(init.payload))


@pytest.mark.parametrize(
    "words",
    [["dash", "-c", TRAP], ["bash", "-c", TRAP], ["busybox", "sh", "-c", TRAP], payload("cleanup")],
    ids=["dash", "bash", "busybox sh", "a handler that forks at once"],
)
def test_a_clean_up_that_a_stop_signal_starts_is_not_sent_that_signal_by_a_subreaper_with_a(
    start: Start, words: list[Word]
) -> None:
    """Regression: the newest pid was read after the signal was sent, so the clean-up passed for an older process."""
    for _ in range(TIMES):
        init = start("-a", "--", *words, place="subreaper")
        init.expect("ready\n")
        # A shell's child in which its trap still stands, before the exec, would lose the signal.
        until(partial(_only_runs, init, "/bin/sleep"), "the payload's child")
        init.signal(signal.SIGTERM)
        assert init.wait()[:2] == (5, "ready\ndone\n")


def test_a_clean_up_is_not_sent_the_stop_signal_in_a_time_namespace(start: Start) -> None:
    """time_namespaces(7): /proc tells the start of a process in the namespace's CLOCK_BOOTTIME."""
    offsets = ["unshare", "--time", "--boottime=-1", "--monotonic=1000", "--fork", "--kill-child"]
    for _ in range(TIMES):
        init = start("-a", "--", "dash", "-c", TRAP, place=offsets)
        init.expect("ready\n")
        until(partial(_only_runs, init, "/bin/sleep"), "the payload's child")
        init.signal(signal.SIGTERM)
        assert init.wait()[:2] == (5, "ready\ndone\n")


def test_a_clean_up_is_not_sent_the_stop_signal_where_pids_have_begun_again_at_the_lowest(
    start: Start, program: list[str]
) -> None:
    for _ in range(TIMES):
        init = start("-a", "--", *payload("cleanup", "wrap"), program=[*IN_NAMESPACE, *program], place="subreaper")
        init.expect("ready\n")
        (inner,) = procfs.children(next(iter(procfs.children(init.pid))))
        os.kill(inner, signal.SIGTERM)
        assert init.wait()[:2] == (5, "ready\ndone\n")


@pytest.mark.parametrize("option", ["-g", "-v"])
def test_a_clean_up_of_one_that_the_payload_has_left_is_not_asked_to_end(start: Start, option: str) -> None:
    script = 'setsid "$@" & read -r line; exit 7'
    for _ in range(TIMES):
        words = [option, "-t", LONG, "--", "/bin/sh", "-c", script, "sh", *payload("cleanup")]
        init = start(*words, place="subreaper", stdin=-1)
        init.expect("ready\n")
        until(partial(procfs.children, init.payload), "the one that is left")
        init.end_input()
        assert init.wait()[:2] == (7, "ready\ndone\n")


@pytest.mark.parametrize("option", ["-g", "-a"])
def test_a_clean_up_that_outlives_the_payload_has_until_a_second_before_kill(
    start: Start, place: str, option: str
) -> None:
    """Regression: it was sent TERM as soon as the payload had ended, although a TERM had started it."""
    script = '"$@" & exec sleep 1000'
    init = start(option, "-t", LONG, "--", "/bin/sh", "-c", script, "sh", *payload("cleanup", "slow"), place=place)
    init.expect("ready\n")
    init.signal(signal.SIGTERM)
    assert init.wait()[:2] == (143, "ready\ndone\n")
