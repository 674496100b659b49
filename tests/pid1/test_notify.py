"""The sd_notify relay: nspawn listens to PID 1 alone, so init passes on what its payload says."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes
from tests.conftest import Start
from tests.harness import ENVIRONMENT, PATIENCE, Init, payload, shell, until


class Manager:
    """A service manager's socket, and what has arrived there."""

    def __init__(self, address: str) -> None:
        self.variable = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.settimeout(PATIENCE)

    def receive(self) -> tuple[bytes, int, int]:
        """Return the next message, its sender's pid, and how many descriptors came along; those are closed."""
        data, ancillary, _, _ = self.socket.recvmsg(65536, 65536)
        pid = descriptors = 0
        for _, kind, content in ancillary:
            if kind == socket.SCM_RIGHTS:
                numbers = struct.unpack(f"{len(content) // 4}i", content)
                descriptors = len(numbers)
                for each in numbers:
                    os.close(each)
            else:
                pid = struct.unpack("3i", content)[0]
        return data, pid, descriptors

    @property
    def environment(self) -> dict[str, str]:
        """What the init's environment is."""
        return {**ENVIRONMENT, "NOTIFY_SOCKET": self.variable}


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    """Return a service manager that listens."""
    name = f"{tmp_path}/notify" if request.param == "path" else f"@pyinit-test-{os.getpid()}"
    one = Manager(name)
    yield one
    one.socket.close()


def tell(start: Start, manager: Manager, *words: str, **how: object) -> Init:
    """Start a payload that tells its manager what `words` say."""
    return start(*payload("notify", *words), environment=manager.environment, **how)


def test_messages_come_from_init_itself_in_their_order(start: Start, manager: Manager, place: str) -> None:
    texts = ["READY=1", "STATUS=at work", "WATCHDOG=1", "STOPPING=1"]
    # Told to wait at the end, init is still there to be compared with.
    init = tell(start, manager, *texts, "barrier", place=place, stdin=subprocess.PIPE)
    received = [manager.receive() for _ in texts]
    assert [message for message, _, _ in received] == [text.encode() for text in texts]
    message, _, descriptors = manager.receive()
    assert (message, descriptors) == (b"BARRIER=1", 1)
    assert init.wait().code == 0
    senders = {pid for _, pid, _ in received}
    assert len(senders) == 1
    if place == "subreaper":
        assert senders == {init.process.pid}


def test_a_barrier_waits_until_the_manager_has_closed_it(start: Start, manager: Manager) -> None:
    init = tell(start, manager, "barrier")
    assert manager.receive()[::2] == (b"BARRIER=1", 1)
    init.expect("barrier passed b''")
    assert init.wait().code == 0


def test_what_is_sent_right_before_the_end_arrives(start: Start, manager: Manager) -> None:
    for _ in range(10):
        assert tell(start, manager, "STATUS=last words").wait().code == 0
        assert manager.receive()[0] == b"STATUS=last words"


def test_a_manager_that_reads_slowly_loses_nothing(start: Start, manager: Manager) -> None:
    # A receiver's queue holds net.unix.max_dgram_qlen messages, 512 or 10.
    count = 1500
    init = tell(start, manager, f"many:{count}")
    for number in range(count):
        assert manager.receive()[0] == b"STATUS=%d" % number
    assert init.wait().code == 0


def test_init_stays_the_managers_main_process(start: Start, manager: Manager) -> None:
    init = tell(start, manager, "MAINPID=OWN\nREADY=1", "MAINPID=OWN", "STATUS=next")
    assert [manager.receive()[0] for _ in range(2)] == [b"READY=1", b"STATUS=next"]
    assert init.wait().code == 0


@pytest.mark.parametrize("word", ["long:4090", "long:100000", "fds:2", "\x01\x02=", "=", "no equals sign", "\n\n"])
def test_odd_messages_do_not_hurt(start: Start, manager: Manager, word: str) -> None:
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


def test_descriptors_do_not_stay_open_in_init(start: Start, manager: Manager) -> None:
    init = tell(start, manager, "READY=1", *["fds:3"] * 20, "barrier", "STATUS=x", stdin=subprocess.PIPE)
    for _ in range(21):
        manager.receive()
    before = len(os.listdir(f"/proc/{init.pid}/fd"))
    assert before < 10
    manager.receive()
    assert init.wait().code == 0


def test_without_a_manager_there_is_no_relay(start: Start) -> None:
    init = start(*shell("echo ready ${NOTIFY_SOCKET-unset}; read line"), stdin=subprocess.PIPE)
    init.expect("ready unset")
    until(lambda: processes.state(init.pid) == "S", "a waiting init")
    assert len(os.listdir(f"/proc/{init.pid}/fd")) == 3


def test_a_manager_that_is_gone_does_not_hurt(start: Start, tmp_path: Path) -> None:
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
    manager.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.receive()


def test_signals_are_forwarded_while_the_relay_is_there(start: Start, manager: Manager) -> None:
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
