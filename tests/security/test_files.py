"""Nothing is opened for writing and nothing is searched for code: strace's word for the frozen file's whole lives."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.security.lives import LIVES, Call, Trace, read, traced
from tests.support.commands import ENVIRONMENT
from tests.support.types import OpenTerminal

# docs/security.md has this list.
READ = re.compile(
    r"/dev/tty"
    r"|/etc/(passwd|group)"
    r"|/proc(/self/(cgroup|status)|/[0-9]+/(stat|status|task/[0-9]+/children)|/loadavg)?"
    r"|/sys/fs/cgroup/(.*/)?(memory\.(events|max|oom_control|limit_in_bytes))"
)
# For --tree alone, which is another process than init: reading it waits for the memory of whom it belongs to.
WORDS = re.compile("/proc/[0-9]+/cmdline")
# Each life is led once, whatever the number of workers.
pytestmark = pytest.mark.xdist_group("lives")
CALLS = "%file,%network,%process,%creds,setrlimit,prlimit64"
OPENING = {"open", "openat", "openat2", "creat", "open_by_handle_at"}
# Neither of these changes anything: where init stands, and what it says of a program that could not be executed.
HARMLESS = {"chdir", "stat", "lstat", "newfstatat", "access"}


@pytest.fixture(scope="module", params=LIVES)
def life(request: pytest.FixtureRequest, frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    """One life's calls that name files, make or use sockets, or change who a process is."""
    folder = tmp_path_factory.mktemp("life")
    words, around = LIVES[request.param]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "manager"))
        listening = {"NOTIFY_SOCKET": str(folder / "manager")} if request.param == "a relay" else {}
        return traced([frozen], words, folder, calls=CALLS, around=around, environment={**ENVIRONMENT, **listening})


# What init does to processes and sockets, and the child between clone and exec.
OTHER = {
    *("clone", "wait4", "waitid", "kill", "pidfd_open", "pidfd_send_signal", "prctl", "exit_group"),
    *("capget", "geteuid", "socket", "setsockopt", "getsockopt", "bind", "getsockname", "recvmsg", "sendmsg"),
}
OF_THE_CHILD = {"execve", "stat", "setsid", "setgroups", "setresgid", "setresuid", "capset", "prctl", "exit"}


def opened(calls: list[Call]) -> list[Call]:
    """The calls that open files."""
    return [call for call in calls if call.name in OPENING]


def only_reads(calls: list[Call], tree: bool = False) -> None:
    """Assert that files are opened for reading, and only those that are documented."""
    for call in opened(calls):
        assert "O_RDONLY" in call.arguments, call
        assert not re.search("O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE", call.arguments), call
        assert READ.fullmatch(call.path) or (tree and WORDS.fullmatch(call.path)), call


def test_no_file_is_opened_for_writing_nor_any_that_is_not_documented(life: Trace) -> None:
    only_reads(life.init, tree="--tree" in life.done.args)
    assert opened(life.child) == []


def test_init_searches_no_path_for_code(life: Trace) -> None:
    """Init executes nothing, and its child the payload alone, where PATH says; nothing else is touched by name."""
    assert {call.name for call in life.init} <= OPENING | HARMLESS | OTHER
    assert {call.path for call in life.init if call.name == "chdir"} <= {"/"}
    assert {call.name for call in life.child} <= OF_THE_CHILD
    in_path = [f"{folder}/" for folder in ENVIRONMENT["PATH"].split(":")]
    for name in ("stat", "execve"):
        tried = [call.path for call in life.child if call.name == name]
        program = tried[-1].rpartition("/")[2] if tried else ""
        assert len(tried) <= 1 or tried == [folder + program for folder in in_path[: len(tried)]]


def test_init_never_changes_its_own_identity(life: Trace) -> None:
    """Only the child does, between clone and exec; init does not even ask for more."""
    changing = re.compile("set.*[ug]id|setgroups|capset|unshare|setns|setrlimit|prlimit64")
    assert [call for call in life.init if changing.fullmatch(call.name)] == []


def test_the_relays_socket_is_the_only_socket_of_init(life: Trace) -> None:
    """A datagram socket of the UNIX kind, on an abstract name; nothing is connected to."""
    sockets = [call for call in life.init if call.name == "socket"]
    others = {call.name for call in life.init} & {"connect", "listen", "accept", "accept4", "socketpair"}
    assert others == set()
    assert all(call.arguments.startswith("AF_UNIX, SOCK_DGRAM|") for call in sockets)
    assert len(sockets) == any(call.name == "bind" for call in life.init)


def test_the_controlling_terminal_is_opened_for_reading_alone(
    terminal: OpenTerminal, frozen: Path, tmp_path: Path
) -> None:
    """Where none of the streams is the terminal, it is found by its name."""
    log = tmp_path / "trace"
    strace = ["strace", "-ff", "-qq", "-o", str(log), "-e", "trace=%file,%process"]
    script = 'exec "$@" </dev/null >/dev/null 2>&1'
    one = terminal("sh", "-c", script, "sh", *strace, str(frozen), "true")
    assert one.process.wait(20) == 0
    found = read(log, str(frozen), subprocess.CompletedProcess([], 0, "", ""))
    only_reads(found.init)
    assert any(call.path == "/dev/tty" and not call.result.startswith("-1") for call in opened(found.init))


def test_standard_error_is_opened_once_more_to_be_written_to(frozen: Path, tmp_path: Path) -> None:
    """A FIFO, which cannot be asked otherwise not to wait; nothing else is opened for writing, and nothing created."""
    os.mkfifo(fifo := tmp_path / "fifo")
    around = ["sh", "-c", 'exec "$@" 2<>"$0"', str(fifo)]
    found = traced([frozen], ["-vv", "--", "true"], tmp_path, calls="%file,%process", around=around)
    writing = [call for call in opened(found.init) if "O_RDONLY" not in call.arguments]
    assert {call.path for call in writing} == {"/proc/self/fd/2"}
    assert not any("O_CREAT" in call.arguments or "O_TRUNC" in call.arguments for call in writing)
    only_reads([call for call in found.init if call not in writing])


def test_why_a_program_could_not_be_executed_is_read_from_that_program_alone(frozen: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    found = traced([frozen], [str(script)], tmp_path, calls="%file,%process")
    assert found.done.returncode == 127
    assert [call.path for call in opened(found.init)][-1] == str(script)
    assert "O_RDONLY" in opened(found.init)[-1].arguments


def test_init_imports_no_module_from_the_current_folder_or_that_of_the_file(frozen: Path, tmp_path: Path) -> None:
    """Neither the current folder nor that of the file is one that modules come from."""
    for name in ("signal", "os", "pyinit", "encodings", "setproctitle", "_pyinit"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)\n")
    shutil.copy(frozen, tmp_path / "pyinit")
    words, around = LIVES["orphans"]
    copy = tmp_path / "pyinit"
    found = traced([copy], words, tmp_path, calls="%file,%process", around=around, directory=tmp_path)
    assert found.done.returncode == 3
    only_reads(found.init)
