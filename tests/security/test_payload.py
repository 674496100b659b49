"""A payload that means harm: what it tells the relay, what it sends, how many it is."""

from __future__ import annotations

import errno
import resource
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests import processes
from tests.calls import NUMBERS
from tests.commands import ENVIRONMENT, payload, shell
from tests.conftest import Start
from tests.manager import Manager
from tests.security.lives import traced
from tests.waiting import until
from tools.namespace import NAMESPACE
from tools.tree import ROOT

MOST_DESCRIPTORS = 253  # the kernel's SCM_MAX_FD
# No more than a receiver's queue holds whose net.unix.max_dgram_qlen is the kernel's own, 10.
FORGED = [
    *("MAINPID=1", "ERRNO=1\nEXIT_STATUS=3", "STOPPING=1", "WATCHDOG=trigger", "RELOADING=1"),
    *("FDSTOREREMOVE=1\nFDNAME=x", "PYINIT_OPTIONS=-P\nKILL=1", "\x7f\x1b[31m", "READY=1"),
]
# What could be a deed. The payload may have ended before its last message is passed on: a kill that only asks is none.
DEEDS = {
    *("clone", "execve", "prctl", "chdir", "socket", "connect", "unlink", "exit_group", "setpgid"),
    *("tkill", "tgkill", "rt_sigqueueinfo", "pidfd_send_signal"),
}


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """A service manager that listens."""
    one = Manager(str(tmp_path / "manager"))
    yield one
    one.socket.close()


def test_messages_are_passed_on_and_never_acted_upon(frozen: Path, tmp_path: Path, manager: Manager) -> None:
    """Between the first and the last nothing is started, signalled or changed; init sends to its manager alone."""
    words = ["--", *payload("notify", *FORGED)]
    found = traced([frozen], words, tmp_path, calls="all", around=NAMESPACE, environment=manager.environment)
    assert (found.done.returncode, found.done.stdout, found.done.stderr) == (0, "", "")
    passed_on = [each for each in FORGED if each != "MAINPID=1"]
    assert [manager.receive()[0].decode() for _ in passed_on] == passed_on
    names = [call.name for call in found.init]
    meanwhile = found.init[names.index("recvmsg") : len(names) - names[::-1].index("sendmsg")]
    assert {call.name for call in meanwhile} & DEEDS == set()
    assert [call for call in meanwhile if call.name == "kill" and not call.arguments.endswith(", 0")] == []
    assert {call.path for call in found.init if call.name == "bind"} == {""}
    assert all(f'sun_path="{manager.variable}"' in call.arguments for call in found.init if call.name == "sendmsg")


def test_a_flood_of_descriptors_does_not_fill_init(start: Start, manager: Manager) -> None:
    """Nobody reads them at first: init holds one message's at a time, and none at the end."""
    count = 600
    init = start(*payload("notify", *[f"fds:{MOST_DESCRIPTORS}"] * count, "barrier"), environment=manager.environment)
    until(lambda: processes.sleeping_in(init.pid) == "poll" and not manager.nothing(), "a message")
    most = 0
    for _ in range(count):
        most = max(most, len(processes.descriptors(init.pid)))
        assert manager.receive()[2] == MOST_DESCRIPTORS
    assert most <= MOST_DESCRIPTORS + 10
    until(lambda: len(processes.descriptors(init.pid)) < 10, "none held")
    assert manager.receive()[0] == b"BARRIER=1"
    assert init.wait().code == 0


@pytest.mark.parametrize(
    ("where", "message", "said"),
    # Root is a stranger to PID 1, whose namespace has no pid for it, and believed by a subreaper.
    [("pid1", b"X=1", "stranger"), ("subreaper", b"x" * 5000, "too long")],
    ids=["a stranger's", "too long"],
)
def test_a_socket_that_lingers_in_a_dropped_message_does_not_hold_init(
    start: Start, manager: Manager, where: str, message: bytes, said: str
) -> None:
    """Init has the last descriptor of a connection whose other side reads nothing: to close it could take a minute."""
    words = shell('echo "relay $NOTIFY_SOCKET"; read line; exec "$@"', *payload("notify", "READY=1"))
    init = start("--", *words, environment=manager.environment, stdin=subprocess.PIPE, place=where)
    init.expect("relay @")
    name = init.expect("\n").strip()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as full,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger,
        open("/dev/null") as other,
    ):
        full.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                full.send(bytes(1 << 16))
        full.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
        stranger.connect("\0" + name)
        # Or this process might be the last that closes it.
        init.signal(signal.SIGSTOP)
        until(lambda: processes.state(init.pid) == "T", "a stopped init")
        socket.send_fds(stranger, [message], [other.fileno(), full.fileno()])
        full.close()
        init.signal(signal.SIGCONT)
        init.expect_error(said)
        init.end_input()
        assert manager.receive()[0] == b"READY=1"
        assert init.wait().code == 0


def test_a_flood_at_the_end_does_not_hold_init(
    start: Start, program: list[str], manager: Manager, tmp_path: Path
) -> None:
    """What has arrived when init ends is passed on; what goes on arriving is not waited for, but for a second."""
    # Nobody is there to be slow; and strace makes init slower than the one that floods it.
    manager.socket.close()
    log = tmp_path / "calls"
    slow = ["strace", "-qq", "-o", str(log), "-e", "trace=recvmsg,wait4", "-e", "inject=recvmsg:delay_exit=2000"]
    words = shell('"$@" & read line; exit 3', *payload("notify", "flood-on"))
    how = {"environment": manager.environment, "place": "subreaper", "stdin": subprocess.PIPE}
    init = start("--", *words, program=[*slow, *program], **how)
    init.expect("flooding")
    init.expect_error("lost")
    init.end_input()
    assert init.wait().code == 3
    # Counted, as this machine may be slower still.
    after = log.read_text().rpartition("WEXITSTATUS(s) == 3")[2]
    assert 1 <= after.count("recvmsg(") <= 500


def test_more_descriptors_than_init_may_have_are_none(start: Start, manager: Manager) -> None:
    """What does not fit is closed by the kernel, and what did by init, which has all of its own left."""
    words = payload("notify", *["fds:50"] * 5, "STATUS=after", "barrier")
    init = start(*words, environment=manager.environment, prepare=[f"limit={resource.RLIMIT_NOFILE}:32"])
    assert manager.receive()[0] == b"STATUS=after"
    assert len(processes.descriptors(init.pid)) < 10
    assert manager.receive()[::2] == (b"BARRIER=1", 1)
    assert init.wait().code == 0
    assert init.stderr.count("too many descriptors") == 5


@pytest.mark.parametrize("options", [[], ["-g"], ["-a"], ["-vv"]], ids=" ".join)
@pytest.mark.parametrize("relayed", [False, True])
def test_forged_signals_do_not_end_init_nor_reach_anybody_outside(
    start: Start, manager: Manager, options: list[str], relayed: bool
) -> None:
    """The payload is root, and init is PID 1: all that it can do is get signals back."""
    outside = start(*payload("receive", "outside"), program=(), place="subreaper")
    outside.expect("outside is ready\n")
    environment = manager.environment if relayed else ENVIRONMENT
    init = start("-t0", *options, "--", *payload("forge"), environment=environment)
    assert init.wait().code == 7
    outside.signal(signal.SIGRTMAX)
    assert outside.expect("outside 64").count("\n") == 0


@pytest.mark.parametrize("option", ["-t20", "-a"])
def test_two_thousand_children_are_reached(start: Start, place: str, option: str) -> None:
    """A walk through /proc takes its time, and nobody is missed."""
    count = 2000
    init = start(option, "--", *payload("leave", f"plain:{count}"), place=place)
    init.expect("ready")
    if option == "-a":
        init.signal(signal.SIGTERM)
        until(lambda: len(processes.children(init.pid)) <= 1 and init.process.poll() is not None, "the end of all")
        assert init.wait().code == 8
    else:
        init.signal(signal.SIGUSR1)
        assert init.wait().code == 7
    assert init.stderr == ""


REUSED = """
import os, signal
from pyinit import reach
from pyinit.processes import Process

def child(pid):
    # The next pid that is given out (proc(5)).
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(pid - 1))
    new = os.fork()
    if new == 0:
        signal.pause()
    return new

first = child(500)
known = Process(first)
os.kill(first, signal.SIGKILL)
os.waitpid(first, 0)
# Start times are in hundredths of a second.
second = child(500)
while Process(second).started == known.started:
    os.kill(second, signal.SIGKILL)
    os.waitpid(second, 0)
    second = child(500)
assert second == first
try:
    reach.send(known, signal.SIGKILL)
except ProcessLookupError:
    print("gone")
print(os.waitpid(second, os.WNOHANG))
reach.send(Process(second), signal.SIGKILL)
print(os.waitpid(second, 0))
"""


@pytest.mark.parametrize("refused", [(), (f"{NUMBERS['pidfd_open']}:{errno.ENOSYS}",)], ids=["pidfds", "none"])
def test_who_has_got_the_pid_of_another_is_left_alone(refused: tuple[str, ...]) -> None:
    """-a and -t reach processes that they have seen, by pid and start time."""
    around = payload("refuse", *refused, "--")
    command = [*NAMESPACE, *around, sys.executable, "-c", REUSED]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20, cwd=ROOT)
    assert (done.stdout.splitlines(), done.stderr) == (["gone", "(0, 0)", "(500, 9)"], "")
