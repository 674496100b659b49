"""The sd_notify relay: nspawn listens to PID 1 alone, so init passes on what its payload says."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import ENVIRONMENT, NOBODY, payload, shell
from tests.support.harness import Init
from tests.support.polling import PATIENCE, until
from tests.support.service_manager import Manager
from tests.support.strace import attach
from tests.support.types import Start


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    """A service manager that listens."""
    name = f"{tmp_path}/notify" if request.param == "path" else f"@pyinit-test-{os.getpid()}"
    one = Manager(name)
    yield one
    one.socket.close()


def tell(start: Start, manager: Manager, *words: str, **how: object) -> Init:
    """Start a payload that tells its manager what `words` say."""
    return start(*payload("notify", *words), environment=manager.environment, **how)


def test_relayed_messages_come_from_init_itself_in_their_order(start: Start, manager: Manager, place: str) -> None:
    texts = ["READY=1", "STATUS=at work", "WATCHDOG=1", "STOPPING=1"]
    # Told to wait at the end, init is still there to be compared with.
    init = tell(start, manager, *texts, "barrier", place=place)
    own = init.pid
    received = [manager.receive() for _ in texts]
    assert [message for message, _, _ in received] == [text.encode() for text in texts]
    message, _, descriptors = manager.receive()
    assert (message, descriptors) == (b"BARRIER=1", 1)
    assert init.wait().code == 0
    assert {pid for _, pid, _ in received} == {own}


def test_a_barrier_waits_until_the_manager_has_closed_its_descriptor(start: Start, manager: Manager) -> None:
    init = tell(start, manager, "barrier")
    assert manager.receive()[::2] == (b"BARRIER=1", 1)
    init.expect("barrier passed b''")
    assert init.wait().code == 0


def test_a_message_sent_right_before_the_payloads_exit_arrives(start: Start, manager: Manager) -> None:
    for _ in range(10):
        assert tell(start, manager, "STATUS=last words").wait().code == 0
        assert manager.receive()[0] == b"STATUS=last words"


def test_a_manager_that_reads_slowly_gets_every_message(start: Start, manager: Manager) -> None:
    # A receiver's queue holds net.unix.max_dgram_qlen messages, 512 or 10.
    count = 1500
    init = tell(start, manager, f"many:{count}")
    for number in range(count):
        assert manager.receive()[0] == b"STATUS=%d" % number
    assert init.wait().code == 0


@pytest.mark.parametrize("line", ["MAINPID=OWN", "MAINPIDFD=1", "MAINPIDFDID=1"])
def test_a_message_cannot_name_another_main_process_than_init(start: Start, manager: Manager, line: str) -> None:
    init = tell(start, manager, f"{line}\nREADY=1", line, "STATUS=next")
    assert [manager.receive()[0] for _ in range(2)] == [b"READY=1", b"STATUS=next"]
    assert init.wait().code == 0


@pytest.mark.parametrize(
    ("word", "received"),
    [
        ("STATUS=a\rMAINPID=OWN\rREADY=1", b"STATUS=a\rREADY=1"),
        ("READY=1\n\rMAINPIDFDID=1\r\n", b"READY=1\n\r"),
    ],
)
def test_a_carriage_return_does_not_hide_a_line_that_names_a_process(
    start: Start, manager: Manager, word: str, received: bytes
) -> None:
    """For systemd and nspawn, which split at both, it ends a line."""
    init = tell(start, manager, word)
    assert manager.receive()[0] == received
    assert init.wait().code == 0


@pytest.mark.parametrize("word", ["long:4090", "long:100000", "fds:2", "\x01\x02=", "=", "no equals sign", "\n\n"])
def test_odd_messages_do_not_hold_the_relay_up(start: Start, manager: Manager, word: str) -> None:
    init = tell(start, manager, word, "STATUS=after")
    assert init.wait().code == 0
    messages = []
    while (message := manager.receive()[0]) != b"STATUS=after":
        messages.append(message)
    if word.startswith("long:"):
        assert messages == []
        assert "too long" in init.stderr
    elif word.startswith("fds:"):
        assert messages == [b"FDSTORE=1"]
    else:
        assert messages in ([word.encode()], [])


def test_a_notify_address_that_is_too_long_is_logged_once_and_left_to_the_payload(start: Start) -> None:
    """Regression: each message was logged as lost, because of `None`."""
    address = "/" + "x" * 108
    words = shell("echo $NOTIFY_SOCKET")
    done = start(*words, environment={**ENVIRONMENT, "NOTIFY_SOCKET": address}).wait()
    assert (done.code, done.stdout) == (0, address + "\n")
    assert done.stderr == "pyinit: NOTIFY_SOCKET is not relayed: its address is longer than 108 bytes\n"


def test_with_the_relay_a_timer_may_be_longer_than_polls_24_days(start: Start, manager: Manager, place: str) -> None:
    """Regression: poll's milliseconds end after 24.8 days, and init exited with an internal error."""
    init = start("-k", "8000h", "--", *payload("receive"), environment=manager.environment, place=place)
    init.expect("got is ready\n")
    for _ in range(2):
        init.signal(signal.SIGTERM)
        init.expect("got 15 ")
    init.idle()
    os.kill(init.payload, signal.SIGKILL)
    assert init.wait().code == 137


def test_descriptors_that_come_with_messages_do_not_stay_open_in_init(start: Start, manager: Manager) -> None:
    init = tell(start, manager, "READY=1", *["fds:3"] * 20, "barrier", "STATUS=x", stdin=subprocess.PIPE)
    for _ in range(21):
        manager.receive()
    before = len(os.listdir(f"/proc/{init.pid}/fd"))
    assert before < 10
    manager.receive()
    assert init.wait().code == 0


def test_a_descriptor_that_fails_to_close_leaves_no_other_of_the_message_open(
    start: Start, manager: Manager, tmp_path: Path
) -> None:
    """EIO tells what became of a file's data; the message was received and passed on."""
    words = shell('read line; exec "$@"', *payload("notify", "fds:3", "STATUS=x"))
    init = start("--", *words, environment=manager.environment, stdin=subprocess.PIPE)
    init.idle()
    trace = tmp_path / "trace"
    inject = ["-e", "trace=close", "-e", "inject=close:error=EIO"]
    tracer = attach(init.pid, trace, *inject)
    try:
        init.end_input()
        assert [manager.receive()[0] for _ in range(2)] == [b"FDSTORE=1", b"STATUS=x"]
        done = init.wait()
    finally:
        # It ends with whom it traces.
        tracer.wait(PATIENCE)
    assert (done.code, done.stderr) == (0, "")
    assert trace.read_text().count("EIO") >= 3


def test_without_notify_socket_there_is_no_relay(start: Start) -> None:
    init = start(*shell("echo ready ${NOTIFY_SOCKET-unset}; read line"), stdin=subprocess.PIPE)
    init.expect("ready unset")
    init.idle()
    assert len(os.listdir(f"/proc/{init.pid}/fd")) == 3


def test_a_manager_that_is_gone_is_logged_and_ends_nothing(start: Start, tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "NOTIFY_SOCKET": f"{tmp_path}/nobody"}
    done = start(*payload("notify", "READY=1"), environment=environment).wait()
    assert done.code == 0
    assert "lost" in done.stderr


def test_a_stranger_in_the_same_network_is_not_believed(start: Start, manager: Manager) -> None:
    words = "echo relay $NOTIFY_SOCKET; read line"
    init = start(*shell(words), environment=manager.environment, stdin=subprocess.PIPE)
    init.expect("relay @")
    name = init.expect("\n").strip()
    stranger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    stranger.sendto(b"READY=1", "\0" + name)
    stranger.close()
    init.expect_error("stranger")
    assert manager.nothing()


def test_messages_of_strangers_cannot_fill_the_log(start: Start, manager: Manager) -> None:
    init = start(
        *shell('echo relay $NOTIFY_SOCKET; read line; exec "$@"', *payload("notify", "READY=1")),
        environment=manager.environment,
        stdin=subprocess.PIPE,
    )
    init.expect("relay @")
    name = init.expect("\n").strip()
    stranger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for message in [b"READY=1", b"x" * 5000] * 50:
        stranger.sendto(message, "\0" + name)
    stranger.close()
    init.end_input()
    # The payload's own message comes behind theirs: all of them have been seen by then.
    assert manager.receive()[0] == b"READY=1"
    done = init.wait()
    assert done.code == 0
    assert re.fullmatch(r".* stranger: dropped \(pid 0\)\n(.* stranger: dropped \(\d+ more\)\n){1,2}", done.stderr)


def test_a_stranger_is_not_believed_by_a_subreaper_either(start: Start, manager: Manager) -> None:
    """Root and init's own user are no strangers: somebody else it is, who is no descendant of init's."""
    words = "echo relay $NOTIFY_SOCKET; read line"
    init = start(*shell(words), environment=manager.environment, stdin=subprocess.PIPE, place="subreaper")
    init.expect("relay ")
    told = {**ENVIRONMENT, "NOTIFY_SOCKET": init.expect("\n").strip()}
    subprocess.run([*NOBODY, *payload("notify", "READY=1")], check=True, env=told, timeout=PATIENCE)
    init.expect_error("stranger")
    assert manager.nothing()


@pytest.mark.parametrize("options", [[], ["-u", "65534:65534"]])
def test_a_descendant_of_another_user_is_believed(
    start: Start, manager: Manager, place: str, options: list[str]
) -> None:
    """With -u even if it has ended and been reaped before its words are read; otherwise while it is there."""
    waits = [] if options else ["barrier"]
    changed = () if options else NOBODY
    for _ in range(5):
        init = start(
            *options, *changed, *payload("notify", "STATUS=it", *waits), environment=manager.environment, place=place
        )
        assert manager.receive()[0] == b"STATUS=it"
        if waits:
            assert manager.receive()[0] == b"BARRIER=1"
        assert init.wait() == (0, "barrier passed b''\n" if waits else "", "")


def test_init_does_not_wait_at_its_exit_when_all_messages_have_been_sent(
    program: list[str], start: Start, manager: Manager, tmp_path: Path
) -> None:
    log = tmp_path / "calls"
    # Calls that wait, and how long they may: the loop's own poll has no end, but for its first, of a millisecond.
    traced = ["strace", "-o", str(log), "-e", "trace=poll,ppoll,select,pselect6,nanosleep,clock_nanosleep,recvmsg"]
    command = [*program, *payload("notify", "STATUS=last words")]
    assert start(program=[*traced, *command], environment=manager.environment, place="subreaper").wait().code == 0
    assert manager.receive()[0] == b"STATUS=last words"
    calls = log.read_text()
    assert "STATUS=last words" in calls
    assert not re.search(r"nanosleep|select", calls)
    assert not re.search(r"poll\(.*, ([2-9]|[1-9][0-9]+)\) ", calls)


def test_a_manager_that_never_reads_delays_inits_exit_by_a_second_at_most(
    start: Start, program: list[str], manager: Manager, tmp_path: Path
) -> None:
    """Counted by its pauses, each of 50 ms: this machine may be slow."""
    manager.fill()
    log = tmp_path / "calls"
    traced = ["strace", "-qq", "-o", str(log), "-e", "trace=nanosleep,clock_nanosleep,select,pselect6", *program]
    assert tell(start, manager, "READY=1", "STATUS=x", program=traced, place="subreaper").wait().code == 0
    assert 1 <= len(log.read_text().splitlines()) <= 20


def test_a_failing_recvmsg_does_not_end_init(start: Start, program: list[str], manager: Manager) -> None:
    refused = ["strace", "-o", "/dev/null", "-e", "inject=recvmsg:error=ENOMEM", *program]
    init = start(*payload("notify", "STATUS=x"), program=refused, environment=manager.environment, place="subreaper")
    done = init.wait()
    assert done.code == 0
    first, *others = done.stderr.splitlines()
    assert "cannot be received: " in first
    # It is tried again, which is counted.
    assert all(re.search(r"cannot be received \([0-9]+ more\)$", line) for line in others)


def test_with_the_relay_a_signal_that_init_caused_itself_is_not_forwarded(
    start: Start, manager: Manager, place: str
) -> None:
    """PIPE, for a line that nobody reads; the descriptors' wait does not say who sent a signal."""
    reader, writer = os.pipe()
    init = start("-vv", *payload("receive"), environment=manager.environment, place=place, stderr=writer)
    os.close(writer)
    os.close(reader)
    init.expect("got is ready\n")
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
        init.signal(number)
        init.expect(f"got {int(number)} ")
    init.idle()
    init.signal(signal.SIGRTMAX)
    init.expect("got 64 ")
    assert re.findall(r"^got (\d+)", init.stdout, re.MULTILINE) == ["10", "12", "13", "64"]


@pytest.mark.parametrize("address", ["vsock:2:1234", "relative/path", ""])
def test_a_notify_address_of_another_kind_is_left_to_the_payload(start: Start, address: str) -> None:
    done = start(*shell('echo "$NOTIFY_SOCKET"'), environment={**ENVIRONMENT, "NOTIFY_SOCKET": address}).wait()
    assert done == (0, f"{address}\n", "")


@pytest.mark.parametrize("kind", ["source"], indirect=True)
@pytest.mark.parametrize("manager", ["path"], indirect=True)
def test_the_relay_is_not_imported_without_notify_socket(start: Start, manager: Manager) -> None:
    told = [sys.executable, "-X", "importtime", "-m", "pyinit"]
    assert "pyinit.sd_notify.relay" not in start("true", program=told).wait().stderr
    assert "pyinit.sd_notify.relay" in start("true", program=told, environment=manager.environment).wait().stderr


def test_the_processes_left_can_still_send_messages(start: Start, manager: Manager) -> None:
    """The payload has ended; its child says STOPPING when it is asked to end."""
    ready = shell("trap '\"$@\"; exit' TERM; echo ready; sleep 600 & wait", *payload("notify", "STOPPING=1"))
    words = shell('"$@" & read line; exit 3', *ready)
    init = start(*words, environment=manager.environment, stdin=subprocess.PIPE)
    init.expect("ready")
    init.end_input()
    assert manager.receive()[0] == b"STOPPING=1"
    assert init.wait().code == 3


def test_with_the_relay_a_thousand_real_time_signals_reach_the_payload(start: Start, manager: Manager) -> None:
    init = start(*payload("receive"), environment=manager.environment)
    init.expect("ready")
    number = signal.SIGRTMIN + 5
    for _ in range(1000):
        init.signal(number)
    until(lambda: init.stdout.count(f"got {number} ") == 1000, "a thousand signals")


def test_the_relay_works_with_a_changed_root_and_user(start: Start, manager: Manager) -> None:
    init = tell(start, manager, "READY=1", place=["unshare", "--pid", "--fork", "--kill-child"])
    assert manager.receive()[0] == b"READY=1"
    assert init.wait().code == 0
    words = ["-u", "65534:65534", *payload("notify", "STATUS=as nobody")]
    assert start(*words, environment=manager.environment).wait().code == 0
    assert manager.receive()[0] == b"STATUS=as nobody"


@pytest.mark.parametrize("kind", ["frozen"], indirect=True)
def test_too_few_file_descriptors_for_the_relay_do_not_end_init(
    start: Start, program: list[str], manager: Manager, place: str
) -> None:
    """Regression: a socket without a descriptor to watch it with ended init. Now the sender gets an error."""
    limited = shell('ulimit -S -n 4 && exec "$@"', *program)
    words = shell('ulimit -S -n 1024 && exec "$@"', *payload("notify", "READY=1"))
    init = start("--", *words, program=limited, environment=manager.environment, place=place)
    code, _, text = init.wait()
    assert "will not be relayed" in text.splitlines()[0]
    assert code == 1
    assert "ConnectionRefusedError" in text
