"""Every orphan is adopted and reaped, whoever its parent was and however many end at once."""

from __future__ import annotations

import os
import re
import signal
import time

import pytest

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import compiled, payload, shell
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.types import Start

ORPHAN = '( sleep 1000 & echo "$!" ); exec sleep 1000'


def has_only_its_payload(init: Init) -> bool:
    """Whether the init has one child, and that one lives."""
    found = procfs.children(init.pid)
    return len(found) == 1 and procfs.alive(found[0])


def orphan_of(init: Init) -> int:
    """Wait for the init's second child, an orphan; return its pid."""

    def found() -> int:
        others = [pid for pid in procfs.children(init.pid) if pid != init.payload]
        return others[0] if others else 0

    return until(found, "an orphan")


def test_an_orphan_becomes_inits_child_and_is_reaped(start: Start, place: str) -> None:
    """As PID 1 and as a subreaper alike: automatic, and without a warning."""
    init = start("--", *shell(ORPHAN), place=place)
    orphan = orphan_of(init)
    os.kill(orphan, signal.SIGTERM)
    until(lambda: not procfs.state(orphan), "the orphan reaped")
    assert has_only_its_payload(init)
    assert init.stderr == ""


def test_an_orphan_of_an_orphan_becomes_inits_child(start: Start, place: str) -> None:
    init = start("--", *shell('( sh -c "sleep 1000 & wait" & ); exec sleep 1000'), place=place)
    orphan = orphan_of(init)
    grandchild = until(lambda: next(iter(procfs.children(orphan)), 0), "a grandchild")
    os.kill(orphan, signal.SIGKILL)
    until(lambda: procfs.parent(grandchild) == init.pid, "its adoption")
    os.kill(grandchild, signal.SIGKILL)
    until(lambda: has_only_its_payload(init), "both reaped")


@pytest.mark.parametrize("option", ["-s", "--subreaper"])
def test_with_option_s_init_is_a_subreaper(start: Start, place: str, option: str) -> None:
    init = start(option, "--", *shell(ORPHAN), place=place)
    assert procfs.parent(orphan_of(init)) == init.pid


def test_with_no_subreaper_orphans_go_past_init(start: Start) -> None:
    """Then orphans go past it, here to the test itself, which is a subreaper too."""
    init = start("--no-subreaper", "--", *shell(ORPHAN), place="subreaper")
    init.expect("\n")
    orphan = int(init.stdout)
    until(lambda: procfs.parent(orphan) == os.getpid(), "the orphan with us")
    os.kill(orphan, signal.SIGKILL)


def test_500_orphans_that_end_at_once_are_gone_within_2_seconds(start: Start, place: str) -> None:
    init = start("--", *payload("orphans", "at-once", "500"), place=place)
    init.expect("ready\n")
    until(lambda: len(procfs.children(init.pid)) == 501, "500 orphans")
    begun = time.monotonic()
    init.signal(signal.SIGUSR1)
    init.expect("ended\n")
    until(lambda: has_only_its_payload(init), "all reaped", timeout=2)
    assert time.monotonic() - begun < 2
    init.signal(signal.SIGTERM)
    assert init.wait() == (0, "ready\nended\n", "")


def test_a_storm_of_20_000_orphans_leaves_no_zombie(start: Start) -> None:
    init = start("--", *payload("orphans", "storm", "20000"))
    init.expect("ended\n", timeout=120)
    until(lambda: has_only_its_payload(init), "all reaped")
    init.signal(signal.SIGTERM)
    assert init.wait() == (0, "ended\n", "")


def test_a_payload_that_exits_in_a_storm_of_orphans_is_noticed(start: Start) -> None:
    """waitpid reports children in no order that helps: the payload's code must come out all the same."""
    init = start("--", *shell('"$1" storm 2000 & exec sh -c "exit 9"', str(compiled("orphans"))))
    assert init.wait().code == 9


@pytest.mark.parametrize("made", ["zombies", "cloned"])
def test_zombies_inherited_through_exec_are_reaped(start: Start, place: str, made: str) -> None:
    """Nothing tells of them: they had ended before exec. Those of clone raise no signal at any time."""
    init = start("--", *payload("receive"), place=place, prepare=[f"{made}=100"])
    init.expect("got is ready\n")
    until(lambda: has_only_its_payload(init), "all reaped")


def test_a_job_that_a_shell_left_to_init_by_exec_is_reaped(start: Start, program: list[str], place: str) -> None:
    """`sh -c 'job & exec pyinit ...'`: an entrypoint script; the jobs end before, at or after the exec."""
    script = 'true & true & true & sleep 1000 & exec "$@"'
    words = [*shell(script), *program, "--", *payload("receive")]
    init = start(*words, program=(), place=place)
    init.expect("got is ready\n")
    job = until(
        lambda: next((pid for pid in procfs.children(init.pid) if procfs.command(pid) == ["sleep", "1000"]), 0),
        "the living job",
    )
    until(lambda: len(procfs.children(init.pid)) == 2, "the ended ones reaped")
    os.kill(job, signal.SIGKILL)
    until(lambda: has_only_its_payload(init), "the last reaped too")
    init.signal(signal.SIGUSR1)
    init.expect("got 10 ")


def test_a_zombie_whose_parent_lives_is_left_to_that_parent(start: Start, place: str) -> None:
    """A zombie whose parent lives cannot be reaped by init; it is the init's when the parent ends."""
    careless = 'import os, signal\nif os.fork() == 0: os._exit(0)\nprint("forked", flush=True)\nsignal.pause()\n'
    init = start("--", *shell('python3.11 -ISc "$1" & exec sleep 1000', careless), place=place)
    init.expect("forked\n")
    parent = until(lambda: next((pid for pid in procfs.descendants(init.pid) if procfs.zombies([pid])), 0), "a zombie")
    owner = procfs.parent(parent)
    assert owner != init.pid
    os.kill(owner, signal.SIGKILL)
    until(lambda: procfs.state(parent) == "", "the zombie reaped")


def test_sigchld_inherited_as_ignored_does_not_hang_init(start: Start, place: str) -> None:
    """The kernel would reap for itself: tini and catatonit wait for ever."""
    assert start(*shell("exit 7"), place=place, prepare=["ignore=17"]).wait() == (7, "", "")


def test_sigchld_inherited_as_blocked_does_not_hang_init(start: Start, place: str) -> None:
    assert start(*shell("exit 7"), place=place, prepare=["block=17"]).wait() == (7, "", "")


def test_sigchld_inherited_as_ignored_leaves_no_zombie(start: Start, place: str) -> None:
    script = 'for n in 1 2 3 4 5 6 7 8 9; do ( sh -c "exit 1" & ); done; exec "$1"'
    init = start("--", *shell(script, str(compiled("receive"))), place=place, prepare=["ignore=17"])
    init.expect("got is ready\n")
    until(lambda: has_only_its_payload(init), "all reaped")


@pytest.mark.parametrize("option", ["-w", "--warn-on-reap"])
def test_with_w_there_is_a_line_for_each_orphan_that_is_reaped(start: Start, option: str) -> None:
    init = start(option, "--", *shell(ORPHAN))
    pid = init.expect("\n").strip()
    kill(orphan_of(init))
    line = init.expect_error("\n")
    assert line.startswith("pyinit: ")
    assert re.search(rf"\b{pid}\b", line)
    assert "KILL" in line
