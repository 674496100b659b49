"""A payload that means harm: what it tells the relay, what it sends, how many it is."""

from __future__ import annotations

import errno
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.lives import traced
from tests.support import procfs
from tests.support.commands import ENVIRONMENT, payload, shell
from tests.support.polling import until
from tests.support.service_manager import Manager
from tests.support.syscalls import NUMBERS
from tests.support.types import Start
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


def test_forged_messages_are_passed_on_and_never_acted_upon(frozen: Path, tmp_path: Path, manager: Manager) -> None:
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
    until(lambda: procfs.sleeping_in(init.pid) == "poll" and not manager.nothing(), "a message")
    most = 0
    for _ in range(count):
        most = max(most, len(procfs.descriptors(init.pid)))
        assert manager.receive()[2] == MOST_DESCRIPTORS
    assert most <= MOST_DESCRIPTORS + 10
    until(lambda: len(procfs.descriptors(init.pid)) < 10, "none held")
    assert manager.receive()[0] == b"BARRIER=1"
    assert init.wait().code == 0


def test_a_flood_of_messages_at_the_payloads_exit_does_not_hold_init(
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


def test_more_descriptors_in_messages_than_init_may_have_are_dropped(start: Start, manager: Manager) -> None:
    """Init has all of its own left, and none of those."""
    words = payload("notify", *["fds:50"] * 5, "STATUS=after", "barrier")
    init = start(*words, environment=manager.environment, prepare=[f"limit={resource.RLIMIT_NOFILE}:32"])
    assert manager.receive()[0] == b"STATUS=after"
    assert len(procfs.descriptors(init.pid)) < 10
    assert manager.receive()[::2] == (b"BARRIER=1", 1)
    assert init.wait().code == 0
    assert re.fullmatch(r".* had too many descriptors: dropped\n.* \(4 more\)\n", init.stderr)


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
def test_two_thousand_processes_are_all_signalled(start: Start, place: str, option: str) -> None:
    """A walk through /proc takes its time, and nobody is missed."""
    count = 2000
    init = start(option, "--", *payload("leave", f"plain:{count}"), place=place)
    init.expect("ready")
    if option == "-a":
        init.signal(signal.SIGTERM)
        until(lambda: len(procfs.children(init.pid)) <= 1 and init.process.poll() is not None, "the end of all")
        assert init.wait().code == 8
    else:
        init.signal(signal.SIGUSR1)
        assert init.wait().code == 7
    assert init.stderr == ""


REUSED = """
import os, signal
from pyinit.procfs import signal_descendants
from pyinit.procfs.processes import Process

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
    signal_descendants.send(known, signal.SIGKILL)
except ProcessLookupError:
    print("gone")
print(os.waitpid(second, os.WNOHANG))
signal_descendants.send(Process(second), signal.SIGKILL)
print(os.waitpid(second, 0))
"""


@pytest.mark.parametrize("refused", [(), (f"{NUMBERS['pidfd_open']}:{errno.ENOSYS}",)], ids=["pidfds", "none"])
def test_a_process_that_has_got_the_pid_of_another_is_left_alone(refused: tuple[str, ...]) -> None:
    """-a and -t reach processes that they have seen, by pid and start time."""
    around = payload("refuse", *refused, "--")
    command = [*NAMESPACE, *around, sys.executable, "-c", REUSED]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20, cwd=ROOT)
    assert (done.stdout.splitlines(), done.stderr) == (["gone", "(0, 0)", "(500, 9)"], "")
