"""Whatever standard error is, init does its work, ends with the payload's code, and says later what was lost."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from tests.long.hostile.refusals import refused
from tests.support import procfs
from tests.support.broken_stderr import (
    FOR_A_WHILE,
    FOR_EVER,
    Unwritable,
    broken_pipe,
    broken_socket,
    full_datagrams,
    full_disk,
    full_fifo,
    full_pipe,
    full_socket,
    stopped_terminal,
)
from tests.support.commands import WITHOUT_PROC, payload
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.strace import attach
from tests.support.streams import Stream
from tests.support.syscalls import NUMBERS
from tests.support.types import Start
from tests.support.wide import wide

Kind = Callable[[], AbstractContextManager[Unwritable]]
# What -vv says before it is told to: "payload started", "USR1 is forwarded".
LOST = 2
FORMATS = ("text", "json")
WRITES = ("write", "sendto", "pwritev2")
OLD_KERNEL = refused([str(NUMBERS["pwritev2"])], errno.ENOSYS)
TOO_LONG = 60_000_000  # microseconds: longer than any test waits


@pytest.fixture(params=FORMATS)
def lines(request: pytest.FixtureRequest) -> str:
    """A format of lines."""
    name: str = request.param
    return name


@pytest.fixture
def unwritable(request: pytest.FixtureRequest) -> Iterator[Unwritable]:
    """The standard error that a test asks for."""
    make: Kind = request.param
    with make() as one:
        yield one


def each_of(kinds: Sequence[Kind | ParameterSet]) -> pytest.MarkDecorator:
    """Run a test with each of these."""
    return pytest.mark.parametrize("unwritable", kinds, indirect=True, ids=lambda kind: kind.__name__)


@pytest.fixture
def begin(start: Start, program: list[str]) -> Callable[..., Init]:
    """A function that starts pyinit, with much to say, and a payload, and waits until both are idle."""

    def begin(unwritable: Unwritable, *options: str, place: str | Sequence[str] = "pid1") -> Init:
        init = start(
            *(*options, "--", *payload("receive")),
            program=[*unwritable.around, *program],
            place=place,
            prepare=unwritable.prepare,
            stderr=unwritable.descriptor,
        )
        init.expect("got is ready\n")
        init.idle()
        return init

    return begin


def serve(init: Init, number: int) -> None:
    """Check that a signal comes through, and no other."""
    init.signal(number)
    assert init.expect("\n").startswith(f"got {int(number)} ")
    init.idle()


def ends(init: Init) -> None:
    """Check that the exit code is the payload's."""
    os.kill(init.payload, signal.SIGKILL)
    assert init.wait().code == 137


def says(text: str, lines: str) -> list[str]:
    """The messages of whole lines; a lost one's place is taken by its number."""
    if lines == "json":
        found = [json.loads(line) for line in text.splitlines() if line]
        return [str(each.get("lost", each["message"])) for each in found]
    return [re.sub(r"^pyinit: (?:(\d+) lines? w.*)?", r"\1", line) for line in text.splitlines() if line]


@each_of(wide([*FOR_EVER, *FOR_A_WHILE], broken_pipe, full_pipe, stopped_terminal))
def test_init_works_without_a_standard_error(
    begin: Callable[..., Init], unwritable: Unwritable, place: str, lines: str
) -> None:
    init = begin(unwritable, "-vvw", "--log-format", lines, place=place)
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGRTMIN):
        serve(init, number)
    ends(init)


@each_of(wide(FOR_A_WHILE, full_pipe, stopped_terminal))
def test_log_lines_that_were_lost_are_counted_and_the_count_is_logged(
    begin: Callable[..., Init], unwritable: Unwritable, place: str, lines: str
) -> None:
    init = begin(unwritable, "-vv", "--log-format", lines, place=place)
    serve(init, signal.SIGUSR1)
    assert unwritable.relieve
    unwritable.relieve(init)
    serve(init, signal.SIGUSR2)
    assert says(unwritable.read(), lines) == [str(LOST), "USR2 is forwarded"]
    # Once, and not again.
    serve(init, signal.SIGUSR1)
    assert says(unwritable.read(), lines)[2:] == ["USR1 is forwarded"]
    ends(init)


@each_of(wide([*FOR_EVER, *FOR_A_WHILE], broken_pipe, full_pipe, stopped_terminal))
def test_init_works_without_a_standard_error_on_a_kernel_without_pwritev2(
    begin: Callable[..., Init], unwritable: Unwritable, lines: str
) -> None:
    old = unwritable._replace(around=[*unwritable.around, *OLD_KERNEL.filter])
    init = begin(old, "-vv", "--log-format", lines)
    serve(init, signal.SIGUSR1)
    if old.relieve:
        old.relieve(init)
        serve(init, signal.SIGUSR2)
        assert says(old.read(), lines) == [str(LOST), "USR2 is forwarded"]
    ends(init)


@each_of([full_pipe, full_socket, stopped_terminal])
def test_without_proc_log_lines_that_were_lost_are_counted(
    begin: Callable[..., Init], unwritable: Unwritable, lines: str
) -> None:
    init = begin(unwritable, "-vv", "--log-format", lines, place=WITHOUT_PROC)
    serve(init, signal.SIGUSR1)
    assert unwritable.relieve
    unwritable.relieve(init)
    serve(init, signal.SIGUSR2)
    assert says(unwritable.read(), lines) == [str(LOST), "USR2 is forwarded"]
    ends(init)


def test_lost_log_lines_are_reported_at_inits_exit_at_the_latest(start: Start, place: str, lines: str) -> None:
    """Without another line to say."""
    with full_pipe() as unwritable:
        words = ["-W", "-k", "0.1", "--log-format", lines, "--", "sh", "-c", 'trap "" TERM; sleep 1000 & echo; wait']
        init = start(*words, place=place, stderr=unwritable.descriptor)
        init.expect("\n")
        (sleeping,) = procfs.children(init.payload)
        init.signal(signal.SIGTERM)
        until(lambda: procfs.parent(sleeping) == init.pid, "KILL for the payload")
        init.idle()
        assert unwritable.relieve
        unwritable.relieve(init)
        os.kill(sleeping, signal.SIGKILL)
        assert init.wait().code == 137
        assert says(unwritable.read(), lines) == ["1"]


def test_a_log_line_that_was_cut_off_is_not_continued_by_the_next(begin: Callable[..., Init]) -> None:
    """A disk takes what it has room for."""
    with full_disk(room=9) as unwritable:
        init = begin(unwritable, "-vv")
        assert unwritable.relieve
        unwritable.relieve(init)
        serve(init, signal.SIGUSR2)
        first, *others = unwritable.read().splitlines()
        assert (first, says("\n".join(others), "text")) == ("pyinit: p", ["1", "USR2 is forwarded"])
        ends(init)


def test_a_disk_that_cannot_take_a_line_without_waiting_gets_it(
    start: Start, program: list[str], tmp_path: Path
) -> None:
    """Regression: btrfs and XFS answer EAGAIN where RWF_NOWAIT would have to allocate, and every line was lost."""
    traced = ["strace", "-qq", "-o", "/dev/null", "-e", "inject=pwritev2:error=EAGAIN", *program]
    log = tmp_path / "log"
    with log.open("wb") as file:
        init = start("/no/such/program", program=traced, place="subreaper", stderr=file.fileno())
        assert init.wait().code == 127
    assert says(log.read_text(), "text") == ["/no/such/program: not found: No such file or directory"]


@pytest.mark.parametrize("around", [(), OLD_KERNEL.filter], ids=["new", "old"])
@pytest.mark.parametrize("make", [broken_pipe, broken_socket])
def test_a_pipe_signal_that_was_sent_to_init_is_forwarded(
    begin: Callable[..., Init], make: Kind, around: Sequence[str]
) -> None:
    """Regression: a write to a socket brings no PIPE on old kernels, where init dropped one that was sent instead."""
    with make() as unwritable:
        init = begin(Unwritable(unwritable.descriptor, around=around), "-vv")
        init.signal(signal.SIGSTOP)
        until(lambda: procfs.state(init.pid) == "T", "init's stop")
        for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGCONT):
            init.signal(number)
        init.expect("got 1 ")
        init.expect("got 13 ")
        ends(init)


def test_a_file_in_standard_errors_place_is_not_written_to(begin: Callable[..., Init]) -> None:
    """An image without a mounted /proc may hold any file there."""
    image = ["sh", "-c", 'mount -t tmpfs none /proc && mkdir -p /proc/self/fd && : >/proc/self/fd/2 && exec "$@"', "sh"]
    with full_fifo() as unwritable:
        init = begin(unwritable, "-vv", place=[*WITHOUT_PROC[:5], *image])
        assert unwritable.relieve
        unwritable.relieve(init)
        serve(init, signal.SIGUSR2)
        assert says(unwritable.read(), "text") == ["1", "USR2 is forwarded"]
        assert Path(f"/proc/{init.pid}/root/proc/self/fd/2").read_bytes() == b""
        ends(init)


def test_a_terminal_that_was_given_for_reading_is_not_written_to(begin: Callable[..., Init]) -> None:
    """Regression: init opened it once more, and could write then."""
    master, slave = os.openpty()
    screen = Stream(master)
    reading = os.open(os.ttyname(slave), os.O_RDONLY | os.O_NOCTTY)
    init = begin(Unwritable(reading, around=OLD_KERNEL.filter), "-vv")
    serve(init, signal.SIGUSR2)
    ends(init)
    os.write(slave, b"end")
    screen.expect("end")
    assert screen.text == "end"
    for descriptor in (reading, slave):
        os.close(descriptor)
    screen.close()


# Each way to write, that of older kernels too.
RACES = [
    pytest.param(full_pipe, "", id="pipe"),
    pytest.param(full_pipe, "EOPNOTSUPP", id="pipe before 6.4"),
    pytest.param(full_fifo, "", id="fifo"),
    pytest.param(full_socket, "", id="socket"),
    pytest.param(full_socket, "ENOSYS", id="socket before 4.6"),
    pytest.param(full_datagrams, "EINVAL", id="datagrams before 4.14"),
    pytest.param(stopped_terminal, "", id="terminal"),
    pytest.param(stopped_terminal, "EPERM", id="terminal under seccomp"),
]


@pytest.mark.parametrize(("make", "refusal"), RACES)
def test_init_does_not_block_when_another_writer_fills_standard_error_first(
    begin: Callable[..., Init], make: Kind, refusal: str, place: str, tmp_path: Path
) -> None:
    """Init held back at the entrance of its write while somebody else fills what it has found writable."""
    with make() as unwritable:
        init = begin(unwritable, "-vv", place=place)
        assert unwritable.relieve
        unwritable.relieve(init)
        tracer = hold_at_write(init.pid, refusal, tmp_path)
        try:
            init.signal(signal.SIGUSR1)
            until(lambda: procfs.sleeping_for(init.pid)[:1] and at_write(init.pid), "a write")
            unwritable.refill()
        finally:
            # Whom it holds goes on.
            tracer.kill()
            tracer.wait()
        assert init.expect("\n").startswith("got 10 ")
        init.idle()
        unwritable.relieve(init)
        serve(init, signal.SIGUSR2)
        assert says(unwritable.read(), "text")[-2:] == [str(LOST), "USR2 is forwarded"]
        ends(init)


def hold_at_write(pid: int, refusal: str, folder: Path) -> subprocess.Popen[bytes]:
    """Strace, which from now on holds each write at its entrance; pwritev2 is refused if there is a refusal."""
    held = ",".join(each for each in WRITES if not refusal or each != "pwritev2")
    inject = ["-e", f"inject={held}:delay_enter={TOO_LONG}"]
    if refusal:
        inject += ["-e", f"inject=pwritev2:error={refusal}"]
    return attach(pid, folder / "trace", *inject)


def at_write(pid: int) -> bool:
    """Whether a process stands at the entrance of a write, held by its tracer."""
    return procfs.state(pid) == "t" and procfs.sleeping_in(pid) in WRITES
