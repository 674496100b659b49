"""Every signal reaches the payload, its group, or everyone; once; rewritten if so asked."""

from __future__ import annotations

import collections
import os
import re
import signal
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.commands import (
    ENVIRONMENT,
    WITHOUT_THE_NEWEST_PID,
    compiled,
    payload,
    shell,
    with_mount,
)
from tests.support.payload_pair import MARK, got_by, pair
from tests.support.polling import PATIENCE, until
from tests.support.receiver import receiver, until_marked
from tests.support.strace import attach
from tests.support.types import Start
from tests.support.wide import wide
from tools.namespace import NAMESPACE

NEVER_FORWARDED = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, 32, 33}
FORWARDED = sorted(set(range(1, 65)) - NEVER_FORWARDED)


@pytest.mark.parametrize("number", wide(FORWARDED, 1, 2, 15, 18, 34, 64))
def test_a_signal_sent_to_init_reaches_the_payload_once(start: Start, number: int) -> None:
    init = receiver(start)
    init.signal(number)
    # It was sent by the init, PID 1, with kill.
    assert init.expect(f"got {number} 0 1\n")
    assert until_marked(init, MARK if number != MARK else MARK - 1) == []


@pytest.mark.parametrize("relay", [{}, {"NOTIFY_SOCKET": "@nobody"}], ids=["alone", "relaying"])
def test_every_signal_reaches_the_payload_of_a_subreaper(start: Start, relay: dict[str, str]) -> None:
    init = receiver(start, place="subreaper", environment={**ENVIRONMENT, **relay})
    for number in FORWARDED:
        init.signal(number)
        init.expect(f"got {number} 0 {init.pid}\n")
    assert until_marked(init) == []
    assert init.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGCHLD, 32, 33])
def test_chld_and_the_two_signals_of_libc_are_not_forwarded(start: Start, number: int) -> None:
    init = receiver(start)
    init.signal(number)
    assert until_marked(init) == []


@pytest.mark.parametrize("kind", ["frozen"], indirect=True)
def test_the_two_signals_of_libc_do_not_end_a_subreaper(start: Start) -> None:
    """From source they do: they cannot be blocked through libc."""
    init = receiver(start, place="subreaper")
    for number in (32, 33):
        init.signal(number)
    assert until_marked(init) == []


@pytest.mark.parametrize("number", [4, 5, 6, 7, 8, 11, 31])
def test_synchronous_signals_sent_by_kill_end_the_payload_not_init(start: Start, place: str, number: int) -> None:
    """tini and catatonit die of them, or swallow them (tini #104)."""
    init = start("sh", "-c", "echo ready; exec sleep 1000", place=place)
    init.expect("ready\n")
    until(lambda: procfs.command(init.payload)[:1] == ["sleep"], "sleep")
    init.signal(number)
    assert init.wait() == (128 + number, "ready\n", "")


@pytest.mark.parametrize("relay", [{}, {"NOTIFY_SOCKET": "@nobody"}], ids=["alone", "relaying"])
@pytest.mark.parametrize("options", [(), ("-g",), ("-a",)])
def test_a_thousand_queued_real_time_signals_all_reach_the_payload(
    start: Start, options: tuple[str, ...], relay: dict[str, str]
) -> None:
    init = receiver(start, *options, environment={**ENVIRONMENT, **relay})
    # Stopped, it cannot take any before all are queued.
    init.signal(signal.SIGSTOP)
    until(lambda: procfs.state(init.pid) == "T", "the init's stop")
    sent = [34 + position % 20 for position in range(1000)]
    for number in sent:
        init.signal(number)
    init.signal(signal.SIGCONT)
    got = collections.Counter(until_marked(init))
    assert got.pop(signal.SIGCONT) == 1
    assert got == collections.Counter(sent)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGCONT])
def test_without_an_option_signals_go_to_the_payload_alone(start: Start, place: str, number: int) -> None:
    """CONT is for the whole group only when the terminal has stopped that."""
    init, child = pair(start, place=place)
    init.signal(number)
    init.expect(f"got {int(number)} ")
    assert got_by(init, child) == ([number], [])


@pytest.mark.parametrize("option", ["-g", "--group"])
def test_with_g_signals_go_to_the_payloads_group(start: Start, place: str, option: str) -> None:
    init, child = pair(start, option, place=place)
    init.signal(signal.SIGUSR1)
    assert got_by(init, child) == ([10], [10])


def test_with_g_a_process_that_has_left_the_group_gets_no_signal(start: Start) -> None:
    init, child = pair(start, "-g", detach="setsid")
    init.signal(signal.SIGUSR1)
    assert got_by(init, child) == ([10], [])


@pytest.mark.parametrize("option", ["-a", "--all"])
def test_with_a_signals_go_to_all_descendants_whatever_their_session(start: Start, place: str, option: str) -> None:
    """setsid'ed descendants escape dumb-init (#191)."""
    init, child = pair(start, option, detach="setsid", place=place)
    init.signal(signal.SIGUSR1)
    assert got_by(init, child) == ([10], [10])


def test_with_a_signals_never_go_to_processes_of_others(start: Start) -> None:
    other = start(*payload("receive"), "other", program=(), place="subreaper")
    other.expect("other is ready\n")
    init, child = pair(start, "-a", place="subreaper")
    init.signal(signal.SIGUSR1)
    assert got_by(init, child) == ([10], [10])
    other.signal(MARK)
    assert other.expect(f"other {MARK} ").splitlines() == [f"other {MARK} "]


@pytest.mark.parametrize("proc", WITHOUT_THE_NEWEST_PID)
def test_with_a_each_descendant_gets_a_signal_once_where_the_newest_pid_is_unknown(
    start: Start, program: list[str], proc: str
) -> None:
    """Regression: the payload got the signal twice, and its descendants did not get it."""
    init, child = pair(start, "-a", program=[*with_mount(proc), *program], place="subreaper")
    init.signal(40)
    assert got_by(init, child) == ([40], [40])
    assert init.stderr == ""


def test_with_a_descendants_are_found_beside_a_stat_file_that_is_empty(start: Start, program: list[str]) -> None:
    """Regression: an internal error, as with any content of /proc/PID/stat that is not the kernel's."""
    around = with_mount("mount --bind /dev/null /proc/1/stat")
    init, child = pair(start, "-a", program=[*around, *program], place="subreaper")
    init.signal(40)
    assert got_by(init, child) == ([40], [40])


def test_with_a_signals_go_to_orphans_as_well(start: Start, place: str) -> None:
    init, child = pair(start, "-a", detach="setsid sh -c '\"$1\" child &' sh", place=place)
    until(lambda: procfs.parent(child) == init.pid, "an orphan")
    init.signal(signal.SIGUSR1)
    assert got_by(init, child) == ([10], [10])


@pytest.mark.parametrize(
    ("options", "sent", "got"),
    [
        (["-r", "TERM:QUIT"], 15, 3),
        (["-r", "15:3"], 15, 3),
        (["-r", "SIGTERM:sigquit"], 15, 3),
        (["--rewrite", "TERM:QUIT"], 15, 3),
        (["--rewrite=TERM:QUIT"], 15, 3),
        (["-rTERM:QUIT"], 15, 3),
        (["-r", "RTMIN+3:TERM"], 37, 15),
        (["-r", "USR1:RTMAX-1"], 10, 63),
        (["-r", "USR1:USR2", "-r", "USR2:HUP"], 10, 12),
        (["-r", "USR1:USR2", "-r", "USR1:HUP"], 10, 1),
        (["-r", "USR1:0", "-r", "USR1:HUP"], 10, 1),
        (["-r", "TERM:TERM"], 15, 15),
        (["-r", "CONT:USR1"], 18, 10),
        (["-r", "TSTP:USR1"], 20, 10),
    ],
)
def test_a_signal_is_forwarded_as_its_rewrite_says(start: Start, options: list[str], sent: int, got: int) -> None:
    init = receiver(start, *options)
    init.signal(sent)
    init.expect(f"got {got} 0 1\n")
    assert until_marked(init, 62) == []


def test_a_rewrite_does_not_change_other_signals(start: Start) -> None:
    init = receiver(start, "-r", "TERM:QUIT")
    init.signal(signal.SIGQUIT)
    init.expect("got 3 ")
    init.signal(signal.SIGHUP)
    init.expect("got 1 ")


@pytest.mark.parametrize("drop", ["HUP:0", "1:0", "SIGHUP:0"])
def test_a_signal_rewritten_to_0_is_dropped(start: Start, drop: str) -> None:
    init = receiver(start, "-r", drop)
    init.signal(signal.SIGHUP)
    assert until_marked(init) == []


def test_a_signal_can_be_rewritten_to_kill(start: Start) -> None:
    init = receiver(start, "-r", "TERM:KILL")
    init.signal(signal.SIGTERM)
    assert init.wait().code == 137


def test_with_g_a_rewritten_signal_goes_to_the_group(start: Start) -> None:
    init, child = pair(start, "-g", "-r", "TERM:USR2")
    init.signal(signal.SIGTERM)
    assert got_by(init, child) == ([12], [12])


@pytest.mark.parametrize(
    ("container", "sent", "got"),
    [
        ("systemd-nspawn", 37, 15),
        ("systemd-nspawn", 38, 15),
        ("systemd-nspawn", 47, 15),
        ("systemd-nspawn", 48, 15),
        ("systemd-nspawn", 39, 39),
        ("systemd-nspawn", 30, 30),
        ("lxc", 30, 15),
        ("lxc", 37, 37),
        ("podman", 37, 15),
        ("podman", 38, 15),
        ("podman", 47, 15),
        ("podman", 48, 15),
        ("podman", 39, 39),
        ("podman", 30, 30),
        ("docker", 37, 37),
    ],
)
def test_a_containers_halt_signal_is_forwarded_as_term(start: Start, container: str, sent: int, got: int) -> None:
    init = receiver(start, environment={**ENVIRONMENT, "container": container})
    init.signal(sent)
    init.expect(f"got {got} 0 1\n")


@pytest.mark.parametrize("container", ["systemd-nspawn", "podman"])
def test_a_rewrite_on_the_command_line_comes_before_that_of_a_halt_signal(start: Start, container: str) -> None:
    environment = {**ENVIRONMENT, "container": container}
    init = receiver(start, "-r", "RTMIN+3:RTMIN+3", "-r", "RTMIN+4:HUP", environment=environment)
    init.signal(37)
    init.expect("got 37 ")
    init.signal(38)
    init.expect("got 1 ")


def test_a_signal_that_init_caused_itself_is_not_forwarded(start: Start, place: str) -> None:
    """It writes to a pipe that nobody reads any more and gets PIPE for that."""
    reader, writer = os.pipe()
    init = start("-vv", "--", *payload("receive"), place=place, stderr=writer)
    os.close(writer)
    os.close(reader)
    init.expect("got is ready\n")
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        init.signal(number)
        init.expect(f"got {int(number)} ")
    assert until_marked(init) == []


@pytest.mark.parametrize("options", [(), ("-g",), ("-c",), ("-S",), ("-a",)])
def test_signals_that_were_pending_before_init_was_executed_reach_the_payload(
    start: Start, place: str, options: tuple[str, ...]
) -> None:
    """They were pending already: nothing of them is lost on the way, the payload's group exists by then."""
    blocked = [f"block={number}" for number in (1, 15, 34, 64)]
    raised = [f"raise={number}" for number in (1, 15, 34, 34, 64)]
    init = receiver(start, *options, place=place, prepare=[*blocked, *raised])
    until(lambda: len(re.findall(r"^got \d", init.stdout, re.MULTILINE)) >= 5, "five signals")
    assert until_marked(init, 63)
    found = [int(number) for number in re.findall(r"^got (\d+)", init.stdout, re.MULTILINE)]
    assert sorted(found) == [1, 15, 34, 34, 63, 64]


@pytest.mark.parametrize("options", [(), ("-g",)])
def test_a_signal_sent_at_any_moment_of_the_start_is_not_lost(start: Start, options: tuple[str, ...]) -> None:
    """Of 400 such, tini -g loses 8 and dumb-init 64. Blocked from before, one is never dropped by others."""
    place = [str(compiled("prepare")), "block=15", "--", *NAMESPACE]
    for _ in range(20):
        init = start(*options, "--", *payload("receive"), place=place)
        init.signal(signal.SIGTERM)
        init.expect("got 15 ")
        init.close()


def test_signals_are_forwarded_while_orphans_are_reaped(start: Start, tmp_path: Path) -> None:
    """Reaping does not come first: with 64 a time, signals have their turn in between."""
    script = '"$1" at-once 1000 & exec "$2"'
    init = start("--", *shell(script, str(compiled("orphans")), str(compiled("receive"))))
    until(lambda: {"ready", "got is ready"} <= set(init.stdout.split("\n")), "both")
    init.idle()
    init.signal(signal.SIGSTOP)
    until(lambda: procfs.state(init.pid) == "T", "its stop")
    # Pids may have begun again at the lowest: the first child need not be the payload.
    receiving = next(pid for pid in procfs.children(init.pid) if procfs.command(pid) == payload("receive"))
    (maker,) = procfs.children(receiving)
    os.kill(maker, signal.SIGUSR1)
    until(lambda: len(procfs.zombies(procfs.children(init.pid))) == 1000, "1,000 zombies")
    init.signal(34)
    trace = tmp_path / "trace"
    tracer = attach(init.pid, trace, "-e", "trace=wait4,kill")
    try:
        init.signal(signal.SIGCONT)
        init.expect("got 34 0 1\n")
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(PATIENCE)
    before, forwarded, _ = trace.read_text().partition(", SIGRT_2)")
    assert forwarded
    # CONT, whose number is lower, has had its turn before. A number of its own: the program's may be what is wrong.
    assert 0 < before.count("wait4(") <= 2 * 64
