"""What messages to the service manager can make of init: another main process, a slow init, a full log."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import re
import resource
import signal
import socket
import statistics
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.commands import payload, shell
from tests.support.harness import Init
from tests.support.polling import PATIENCE, until
from tests.support.service_manager import Manager
from tests.support.syscalls import NUMBERS
from tests.support.systemd_parser import splitter
from tests.support.types import Start

NAMES = (b"MAINPID=", b"MAINPIDFD=", b"MAINPIDFDID=")
PIECES = (
    "\\",
    "\\",
    "\n",
    "\n",
    "\r",
    "MAINPID=42",
    "MAINPIDFD=1",
    "MAINPIDFDID=7",
    "MAIN",
    "PID=1",
    "STATUS=x",
    '"',
    "'",
)

# Seconds that a socket lingers: who waits for that has failed.
LINGER = 3 * int(PATIENCE)
FEW = 16  # descriptors
AT_WORK = "trap 'echo got TERM' TERM; echo \"relay $NOTIFY_SOCKET\"; while :; do sleep 0.02; done"


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """A service manager that listens."""
    one = Manager(str(tmp_path / "manager"))
    yield one
    one.socket.close()


@pytest.mark.parametrize(
    "line", ["\\MAINPID=42", "M\\AINPID=42", "MAINPI\\DFD=1", "\\M\\A\\I\\N\\P\\I\\D\\F\\D\\I\\D\\=7", "MAINPID\\=42"]
)
def test_a_backslash_does_not_hide_a_line_that_names_a_process(start: Start, manager: Manager, line: str) -> None:
    """systemd takes it away before it compares."""
    words = payload("notify", f"{line}\nREADY=1", line, f"STATUS=a\\\n{line}", f"STATUS=next\r{line}", "STATUS=\\end")
    init = start(*words, environment=manager.environment)
    received = [manager.receive()[0] for _ in range(4)]
    assert received == [b"READY=1", b"STATUS=a\\\n", b"STATUS=next\r", b"STATUS=\\end"]
    assert init.wait().code == 0


def test_no_message_names_a_process_to_systemds_parser(start: Start, manager: Manager) -> None:
    """Nor what nspawn makes of one and hands on to systemd, which parses that again."""
    split = splitter()
    chance = random.Random(1)
    sent = [f"X={number}\n" + "".join(chance.choices(PIECES, k=8)) for number in range(1500)]
    init = start(*payload("notify", *sent), environment=manager.environment)
    named = 0
    for message in sent:
        received = manager.receive()[0]
        assert not [each for word in split(received) for each in (word, *split(word)) if each.startswith(NAMES)]
        named += any(word.startswith(NAMES) for word in split(message.encode()))
        if not any(line.replace(b"\\", b"").startswith(NAMES) for line in message.encode().splitlines()):
            assert received == message.encode()
    assert init.wait().code == 0
    assert named > 100


@pytest.fixture
def full() -> Iterator[socket.socket]:
    """A connection that lingers when it is closed: its other side reads nothing, and it has much to send."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as one,
    ):
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                one.send(bytes(1 << 16))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGER))
        yield one
        if one.fileno() >= 0:
            # The test has failed before it closed this one.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes(8))


def send_plain(relay: socket.socket, message: bytes, full: socket.socket) -> None:
    """Send a connection."""
    socket.send_fds(relay, [message], [full.fileno()])


def send_nested(relay: socket.socket, message: bytes, full: socket.socket) -> None:
    """Send a socket that has the connection in its queue."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        socket.send_fds(here, [b"x"], [full.fileno()])
        socket.send_fds(relay, [message], [there.fileno()])


def send_many(relay: socket.socket, message: bytes, full: socket.socket) -> None:
    """Send more than init may have, the connection last: the kernel closes what does not fit."""
    with open("/dev/null") as other:
        socket.send_fds(relay, [message], [other.fileno()] * 2 * FEW + [full.fileno()])


@contextlib.contextmanager
def stopped(init: Init) -> Iterator[None]:
    """Stop an init meanwhile: it must have the last descriptor, not the test."""
    init.signal(signal.SIGSTOP)
    until(lambda: procfs.state(init.pid) == "T", "a stopped init")
    yield
    init.signal(signal.SIGCONT)


@contextlib.contextmanager
def connected(init: Init) -> Iterator[socket.socket]:
    """Connect to the socket that a payload has named."""
    init.expect("relay @")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as relay:
        relay.connect("\0" + init.expect("\n").strip())
        yield relay


@pytest.mark.parametrize("send", [send_plain, send_nested, send_many])
@pytest.mark.parametrize(
    ("where", "message", "said"),
    # Root is a stranger to PID 1, whose namespace has no pid for it, and believed by a subreaper.
    [("pid1", b"X=1", "stranger"), ("subreaper", b"x" * 5000, "too long"), ("subreaper", b"X=1", "lost|too many")],
    ids=["a stranger's", "too long", "for nobody"],
)
def test_descriptors_in_messages_do_not_hold_init(
    start: Start,
    manager: Manager,
    full: socket.socket,
    send: Callable[[socket.socket, bytes, socket.socket], None],
    where: str,
    message: bytes,
    said: str,
) -> None:
    """TERM is forwarded, an orphan is reaped, and -k is in time, long before a connection has lingered."""
    manager.socket.close()
    words = ["-k", "1", "--", *shell(f"(sleep 600 &); {AT_WORK}")]
    prepare = [f"limit={resource.RLIMIT_NOFILE}:{FEW}"] if send is send_many else []
    init = start(*words, environment=manager.environment, place=where, prepare=prepare)
    with connected(init) as relay:
        orphan = until(lambda: [pid for pid in procfs.children(init.pid) if pid != init.payload], "an orphan")[0]
        with stopped(init):
            send(relay, message, full)
            full.close()
        until(lambda: re.search(said, init.stderr), said)
        init.signal(signal.SIGTERM)
        init.expect("got TERM")
        os.kill(orphan, signal.SIGKILL)
        until(lambda: not procfs.state(orphan), "the orphan's end")
        assert init.wait().code == 137


@pytest.mark.parametrize("send", [send_plain, send_nested, send_many])
def test_a_signal_is_forwarded_within_100_ms_while_descriptors_linger(
    start: Start, manager: Manager, full: socket.socket, send: Callable[[socket.socket, bytes, socket.socket], None]
) -> None:
    """By the median: this machine may be slow, but not that often."""
    prepare = [f"limit={resource.RLIMIT_NOFILE}:{FEW}"] if send is send_many else []
    init = start("--", *shell(AT_WORK), environment=manager.environment, place="subreaper", prepare=prepare)
    manager.socket.close()
    times = []
    with connected(init) as relay:
        with stopped(init):
            send(relay, b"FDSTORE=1", full)
            full.close()
        until(lambda: re.search("lost|too many", init.stderr), "a message that is lost")
        for _ in range(11):
            begin = time.monotonic()
            init.signal(signal.SIGTERM)
            init.expect("got TERM\n")
            times.append(time.monotonic() - begin)
    assert statistics.median(times) < 0.1
    init.signal(signal.SIGKILL)


@pytest.mark.parametrize("place", ["pid1"], indirect=True)
def test_descriptors_that_the_manager_does_not_read_do_not_hold_inits_exit(
    start: Start, manager: Manager, full: socket.socket, place: str
) -> None:
    """The manager's queue is full, so that they are still in init's when it ends."""
    manager.fill()
    words = shell('echo "relay $NOTIFY_SOCKET"; read line; exec "$@"', *payload("notify", "STATUS=first"))
    init = start("--", *words, environment=manager.environment, stdin=subprocess.PIPE, place=place)
    with connected(init) as relay:
        init.end_input()
        init.idle()
        for send in (send_plain, send_nested):
            send(relay, b"X=1", full)
        full.close()
        assert init.wait().code == 0


def test_the_relays_helper_is_logged_neither_as_an_orphan_nor_as_left(
    start: Start, manager: Manager, place: str
) -> None:
    """-w names who is reaped, and -v who is left."""
    init = start("-w", "-v", "--", *payload("notify", *["fds:3"] * 20), environment=manager.environment, place=place)
    for _ in range(20):
        assert manager.receive()[::2] == (b"FDSTORE=1", 3)
    assert init.wait().code == 0
    assert not re.search("reaped|left", init.stderr)


def test_the_relays_helper_is_not_taken_for_the_daemon_to_follow(
    start: Start, program: list[str], manager: Manager, tmp_path: Path
) -> None:
    """It is the only child that init has when the payload has left none."""
    slow = ["strace", "-f", "-o", str(tmp_path / "calls"), "-e", "trace=setitimer"]
    slow += ["-e", "inject=setitimer:delay_enter=500000"]
    two = '"$@"; until [ "$(wc -w </proc/$PPID/task/$PPID/children)" = 2 ]; do :; done'
    words = ["--follow", "--", *shell(two, *payload("notify", "fds:1"))]
    init = start(*words, program=[*slow, *program], environment=manager.environment, place="subreaper")
    done = init.wait()
    assert done.code == 125
    assert "the payload has left no process" in done.stderr


def test_without_a_process_to_spare_the_relay_tries_again(
    start: Start, program: list[str], manager: Manager, tmp_path: Path
) -> None:
    """Said once and counted, and nothing is lost, or sent twice."""
    refused = ["strace", "-qq", "-o", str(tmp_path / "calls"), "-e", "trace=clone,fork"]
    refused += ["-e", "inject=clone,fork:error=EAGAIN:when=2..9", *program]
    words = payload("notify", "fds:1", "STATUS=next", "fds:1", "STATUS=last")
    done = start(*words, program=refused, environment=manager.environment, place="subreaper").wait()
    received = [manager.receive()[0] for _ in range(4)]
    assert received == [b"FDSTORE=1", b"STATUS=next", b"FDSTORE=1", b"STATUS=last"]
    first, second = done.stderr.splitlines()
    assert first.endswith("cannot be taken from the queue: Resource temporarily unavailable; trying again")
    assert second.endswith("cannot be taken from the queue (7 more)")
    assert done.code == 0
    assert manager.nothing()


def test_where_setitimer_is_refused_the_relays_helper_alone_waits(
    start: Start, program: list[str], manager: Manager, full: socket.socket
) -> None:
    """Nothing interrupts the wait for a connection then; it is the helper's, and KILL ends it."""
    refused = payload("refuse", f"{NUMBERS['setitimer']}:{errno.EPERM}", "--")
    words = ["-t", "1", "-k", "1", "--", *shell(AT_WORK)]
    init = start(*words, program=[*refused, *program], environment=manager.environment)
    with connected(init) as relay:
        with stopped(init):
            send_nested(relay, b"X=1", full)
            full.close()
        init.expect_error("stranger")
        until(lambda: len(procfs.children(init.pid)) > 1, "a helper")
        init.signal(signal.SIGTERM)
        init.expect("got TERM")
        assert len(procfs.children(init.pid)) > 1
        assert init.wait().code == 137


def count_of(text: str, stderr: str) -> int:
    """How many messages the log has told of with this text."""
    lines = [line for line in stderr.splitlines() if text in line]
    return sum(int(found[1]) if (found := re.search(r"\((\d+) more\)$", line)) else 1 for line in lines)


@pytest.mark.parametrize(("word", "said"), [("long:5000", "too long"), ("STATUS=x", "lost: Connection refused")])
def test_messages_of_the_payload_cannot_fill_the_log(start: Start, manager: Manager, word: str, said: str) -> None:
    """The first is told of at once, the others are counted."""
    manager.socket.close()
    done = start(*payload("notify", *[word] * 1000), environment=manager.environment).wait()
    assert done.code == 0
    assert count_of(said, done.stderr) == 1000
    assert done.stderr.count("\n") <= 4


def test_repeated_log_lines_are_counted_and_the_count_is_logged_meanwhile(start: Start, manager: Manager) -> None:
    """Two lines of one kind are ten seconds apart."""
    manager.socket.close()
    words = shell('"$@" & read line; kill $!', *payload("notify", "flood-on"))
    init = start("--", *words, environment=manager.environment, stdin=subprocess.PIPE)
    init.expect_error("lost: Connection refused\n")
    first = init.stderr.count("\n")
    init.expect_error(" more)\n")
    assert (first, init.stderr.count("\n")) == (1, 2)
    init.end_input()
    assert init.wait().code == 0
