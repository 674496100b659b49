"""The payload gets exactly what init was given, and init itself keeps nothing of it."""

from __future__ import annotations

import itertools
import os
import resource
import signal
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.commands import ENVIRONMENT, NOBODY
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.types import Start
from tools.namespace import NAMESPACE

PAYLOAD = ("sleep", "1000")
IGNORABLE = [1, 2, 3, 10, 13, 15, 17, 20, 21, 22, 25, 28, 34, 64]
MASKS = [[], [1], [2, 3, 15], [17], [20, 21, 22], [34], [64], [11, 7, 8], list(set(range(1, 65)) - {9, 19, 32, 33})]
DESCRIPTORS = list(itertools.chain.from_iterable(itertools.combinations(range(3), count) for count in range(4)))


def sleeps(pid: int) -> bool:
    """Whether it is the payload, asleep: its loader has closed what it had opened."""
    return procfs.command(pid)[:1] == ["sleep"] and procfs.sleeping_in(pid) == "clock_nanosleep"


def payload_of(init: Init) -> int:
    """Wait until the payload is what it will be; return its pid."""

    def found() -> int:
        return next((pid for pid in procfs.children(init.pid) if sleeps(pid)), 0)

    return until(found, "the payload")


def bare(start: Start, **how: object) -> int:
    """Start the payload without an init; return its pid when it is what it will be."""
    init = start(*PAYLOAD, program=(), **how)
    until(lambda: sleeps(init.pid), "the bare payload")
    return init.pid


@pytest.mark.parametrize("blocked", MASKS)
def test_the_payload_inherits_the_signal_mask(start: Start, place: str, blocked: list[int]) -> None:
    """dumb-init empties it, catatonit adds to it."""
    init = start(*PAYLOAD, place=place, prepare=[f"block={number}" for number in blocked])
    assert procfs.signals(payload_of(init), "SigBlk") == set(blocked)


@pytest.mark.parametrize("kind", ["frozen"], indirect=True)
def test_the_payload_inherits_the_mask_of_libcs_own_signals(start: Start) -> None:
    """From source CPython's libc hides them."""
    init = start(*PAYLOAD, prepare=["block=32", "block=33"])
    assert procfs.signals(payload_of(init), "SigBlk") == {32, 33}


@pytest.mark.parametrize("number", IGNORABLE)
def test_a_signal_that_is_ignored_at_the_start_is_ignored_by_the_payload(start: Start, kind: str, number: int) -> None:
    """nohup is one that relies on it; dumb-init loses it."""
    init = start(*PAYLOAD, prepare=[f"ignore={number}"])
    # CPython has ignored these two by itself: from source they are given back as default.
    expected = set() if kind == "source" and number in (signal.SIGPIPE, signal.SIGXFSZ) else {number}
    assert procfs.signals(payload_of(init), "SigIgn") == expected


def test_the_payload_ignores_blocks_and_catches_nothing_by_itself(start: Start, place: str) -> None:
    """SIGPIPE: `yes | head` would never end."""
    pid = payload_of(start(*PAYLOAD, place=place))
    for field in ("SigIgn", "SigBlk", "SigCgt"):
        assert procfs.signals(pid, field) == set()


def test_a_broken_pipe_ends_the_payload(start: Start, place: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    init = start("sh", "-c", "exec yes", place=place, stdout=writer)
    os.close(writer)
    assert init.wait().code == 128 + signal.SIGPIPE


def test_the_payload_inherits_open_file_descriptors(start: Start, place: str) -> None:
    opened = ["open=3", "open=7", "open=63", "open=200"]
    pid = payload_of(start(*PAYLOAD, place=place, prepare=opened))
    assert procfs.descriptors(pid).keys() == {0, 1, 2, 3, 7, 63, 200}
    assert {procfs.descriptors(pid)[number] for number in (3, 7, 63, 200)} == {"/dev/null"}


def test_the_payloads_standard_streams_are_those_that_init_was_given(start: Start, place: str, tmp_path: Path) -> None:
    with (tmp_path / "in").open("w+b") as stdin, (tmp_path / "out").open("w+b") as stdout:
        init = start(*PAYLOAD, place=place, stdin=stdin.fileno(), stdout=stdout.fileno())
        found = procfs.descriptors(payload_of(init))
    assert (found[0], found[1]) == (str(tmp_path / "in"), str(tmp_path / "out"))


@pytest.mark.parametrize("closed", DESCRIPTORS, ids=lambda numbers: "".join(map(str, numbers)) or "none")
def test_closed_standard_streams_stay_closed_for_the_payload(start: Start, place: str, closed: tuple[int, ...]) -> None:
    """tini exits when its standard input is closed (#246); nothing else may land in the gaps."""
    init = start(*PAYLOAD, place=place, prepare=[f"close={number}" for number in closed])
    pid = payload_of(init)
    assert procfs.descriptors(pid).keys() == {0, 1, 2} - set(closed)
    init.idle()
    assert procfs.descriptors(init.pid).keys() == {0, 1, 2} - set(closed)
    init.signal(signal.SIGTERM)
    assert init.wait().code == 143


@pytest.mark.parametrize("closed", DESCRIPTORS, ids=lambda numbers: "".join(map(str, numbers)) or "none")
def test_a_missing_program_gives_127_with_closed_standard_streams(start: Start, closed: tuple[int, ...]) -> None:
    """The line has nowhere to go; the exit code stays."""
    init = start("-vv", "/no/such/program", prepare=[f"close={number}" for number in closed])
    assert init.wait().code == 127


def test_the_payload_starts_in_the_current_directory(start: Start, place: str, tmp_path: Path) -> None:
    pid = payload_of(start(*PAYLOAD, place=place, directory=tmp_path))
    assert procfs.directory(pid) == str(tmp_path)


def test_the_payload_inherits_the_umask(start: Start, place: str) -> None:
    pid = payload_of(start(*PAYLOAD, place=place, prepare=["umask=027"]))
    assert procfs.status(pid)["Umask"] == "0027"


def test_the_payload_inherits_resource_limits(start: Start, place: str) -> None:
    prepare = [f"limit={resource.RLIMIT_NOFILE}:123"]
    pid = payload_of(start(*PAYLOAD, place=place, prepare=prepare))
    limits = procfs.read(pid, "limits")
    assert limits == procfs.read(bare(start, place=place, prepare=prepare), "limits")
    assert b"123" in limits


def test_the_payload_inherits_the_niceness(start: Start, place: str) -> None:
    pid = payload_of(start(*PAYLOAD, place=place, prepare=["nice=7"]))
    assert procfs.stat(pid)[16] == "7"


def test_the_payload_inherits_the_environment_entry_by_entry(start: Start, place: str) -> None:
    """Order, duplicates, entries without `=`, empty ones, bytes that are no text."""
    entries = [
        b"PATH=/usr/bin:/bin",
        b"B=2",
        b"A=1",
        b"B=3",
        b"without equals sign",
        b"EMPTY=",
        b"=odd",
        b"LINES=a\nb",
        b"BYTES=\xff\xfe\x80",
        b"\xe4=umlaut",
        b"LANG=C.UTF-8",
        b"LAST= x ",
    ]
    init = start(*PAYLOAD, place=place, prepare=[b"env=" + entry for entry in entries])
    assert procfs.environment(payload_of(init)) == entries


@pytest.mark.parametrize(
    "entries",
    [
        [b"PATH=/usr/bin:/bin"],
        [b"PATH=/usr/bin:/bin", b"LC_CTYPE=C"],
        [b"LC_CTYPE=POSIX", b"PATH=/usr/bin:/bin"],
        [b"PATH=/usr/bin:/bin", b"LC_CTYPE=C.UTF-8"],
        [b"PATH=/usr/bin:/bin", b"LC_ALL=C"],
        [b"PATH=/usr/bin:/bin", b"LANG=C"],
    ],
)
def test_the_payloads_locale_variables_are_what_they_were(start: Start, entries: list[bytes]) -> None:
    """CPython adds LC_CTYPE in the C locale (PEP 538)."""
    init = start(*PAYLOAD, prepare=[b"env=" + entry for entry in entries])
    assert sorted(procfs.environment(payload_of(init))) == sorted(entries)


def test_an_empty_environment_stays_empty(start: Start) -> None:
    init = start("/bin/sleep", "1000", environment={})
    pid = until(lambda: next((p for p in procfs.children(init.pid) if len(procfs.command(p)) == 2), 0), "it")
    assert procfs.environment(pid) == []


def test_pyinit_options_is_removed_from_the_payloads_environment(start: Start, place: str) -> None:
    init = start(*PAYLOAD, place=place, environment={**ENVIRONMENT, "PYINIT_OPTIONS": "-g", "AFTER": "x"})
    names = [entry.partition(b"=")[0] for entry in procfs.environment(payload_of(init))]
    assert b"AFTER" in names
    assert b"PYINIT_OPTIONS" not in names


@pytest.mark.parametrize("name", ["LISTEN_PID", "WATCHDOG_PID"])
def test_a_variable_that_held_inits_pid_holds_the_payloads(start: Start, place: str, name: str) -> None:
    """sd_listen_fds(3), sd_watchdog_enabled(3): they are meant for the service."""
    entries = ["env=PATH=/usr/bin:/bin", f"env={name}=@PID@", "env=LISTEN_FDS=1", "env=LANG=C.UTF-8"]
    pid = payload_of(start(*PAYLOAD, place=place, prepare=entries))
    own = procfs.status(pid)["NSpid"].split()[-1]
    assert f"{name}={own}".encode() in procfs.environment(pid)
    assert b"LISTEN_FDS=1" in procfs.environment(pid)


@pytest.mark.parametrize("name", ["LISTEN_PID", "WATCHDOG_PID"])
def test_a_variable_that_holds_the_pid_of_another_process_stays(start: Start, place: str, name: str) -> None:
    environment = {**ENVIRONMENT, name: "4000000"}
    pid = payload_of(start(*PAYLOAD, place=place, environment=environment))
    assert f"{name}=4000000".encode() in procfs.environment(pid)


def test_the_payload_gets_its_arguments_byte_for_byte(start: Start, place: str) -> None:
    words = [b"", b"\xff\xfe", b"a b", b"\n", b"'\"$x", b"--", b"-g", "\u00e4\u20ac".encode(), b"\xed\xb2\x80"]
    init = start("--", "printf", "<%s>", *words, place=place)
    outcome = init.wait()
    assert (outcome.code, os.fsencode(outcome.stdout)) == (0, b"".join(b"<" + word + b">" for word in words))


def test_the_payload_gets_a_variable_of_120_kilobytes(start: Start, place: str) -> None:
    big = "x" * 120 * 1024
    outcome = start("sh", "-c", 'echo "${#BIG}"', place=place, environment={**ENVIRONMENT, "BIG": big}).wait()
    assert outcome == (0, f"{len(big)}\n", "")


def test_the_payload_gets_a_thousand_arguments(start: Start, place: str) -> None:
    words = [f"argument-{number}" for number in range(1000)]
    assert start("echo", *words, place=place).wait() == (0, " ".join(words) + "\n", "")


def test_the_payload_gets_an_argument_of_120_kilobytes(start: Start) -> None:
    outcome = start("sh", "-c", 'echo "${#1}"', "sh", prepare=["argument=122880"]).wait()
    assert outcome == (0, "122880\n", "")


def test_init_keeps_no_directory_and_no_inherited_descriptor(start: Start, place: str, tmp_path: Path) -> None:
    """A volume can be unmounted, a pipe's reader sees its end (catatonit #12, #28, dumb-init #210)."""
    reader, writer = os.pipe()
    init = start(*PAYLOAD, place=place, directory=tmp_path, pass_fds=[writer], prepare=["open=200"])
    os.close(writer)
    pid = payload_of(init)
    assert writer in procfs.descriptors(pid)
    init.idle()
    assert procfs.directory(init.pid) == "/"
    assert procfs.descriptors(init.pid).keys() == {0, 1, 2}
    os.close(reader)


def test_a_pausing_init_keeps_no_directory_and_no_inherited_descriptor(
    start: Start, place: str, tmp_path: Path
) -> None:
    init = start("-P", place=place, directory=tmp_path, prepare=["open=200"])
    init.idle()
    until(lambda: procfs.directory(init.pid) == "/", "the root directory")
    assert procfs.descriptors(init.pid).keys() == {0, 1, 2}


def test_init_works_without_root(start: Start) -> None:
    init = start(*PAYLOAD, place=[*NAMESPACE, *NOBODY])
    pid = payload_of(init)
    assert procfs.status(pid)["Uid"].split() == ["65534"] * 4
    os.kill(init.pid, signal.SIGTERM)
    assert init.wait() == (143, "", "")
