"""--tree shows the processes to whoever is in a container without ps."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

from tests.support import procfs
from tests.support.commands import shell
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.types import Start
from tools.namespace import NAMESPACE

# Any of these may be seen of a process that only waits: it may have been woken a moment ago.
STATE = "[RSD]"


def look(program: list[str], init: Init, *, tty: bool = False) -> str:
    """What `--tree` prints inside the init's namespaces, on a terminal if `tty`."""
    command = ["nsenter", "-t", str(init.pid), "-p", "-m", *program, "--tree"]
    if tty:
        command = ["script", "-qec", " ".join(command), "/dev/null"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
    return done.stdout


def test_tree_lists_the_processes_below_their_parents(start: Start, program: list[str]) -> None:
    init = start(*shell("setpriv --reuid=65534 sleep 600 & echo ready; read line"), stdin=subprocess.PIPE)
    init.expect("ready")
    sleeping = until(lambda: next(iter(procfs.children(init.payload)), 0), "the payload's child")
    until(lambda: procfs.command(sleeping)[:1] == ["sleep"], "a child that is sleep")
    header, *lines = look(program, init).splitlines()
    assert header.split() == ["PID", "USER", "S", "AGE", "MEMORY", "COMMAND"]
    shapes = [
        rf" +1 root +{STATE} +\d+s +\d+ K  \S.* /bin/sh -c .*",
        rf" +\d+ root +{STATE} +\d+s +\d+ K    /bin/sh -c .*",
        rf" +\d+ nobody +{STATE} +\d+s +\d+ K      sleep 600",
    ]
    assert len(lines) == len(shapes)
    for shape, line in zip(shapes, lines, strict=True):
        assert re.fullmatch(shape, line), line


def test_tree_names_a_zombie_and_the_parent_that_does_not_wait_for_it(start: Start, program: list[str]) -> None:
    script = "import os; os.fork() or os._exit(0); print('ready', flush=True); input()"
    init = start("python3", "-c", script, stdin=subprocess.PIPE)
    init.expect("ready")
    zombie = until(lambda: next(iter(procfs.children(init.payload)), 0), "the payload's child")
    until(lambda: procfs.state(zombie) == "Z", "a zombie")
    line = look(program, init).splitlines()[-1]
    assert re.fullmatch(r" +\d+ root +Z .*\[python3\] <zombie: \d+ python3 does not wait for it>", line)
    assert "\x1b[31m" not in line
    assert "\x1b[31m" in look(program, init, tty=True)


def test_a_command_line_cannot_inject_escape_sequences_into_the_tree(start: Start, program: list[str]) -> None:
    init = start("bash", "-c", "exec -a \"$(printf 'a\\033[31mb\\nc')\" sleep 600")
    until(lambda: procfs.command(init.payload)[1:] == ["600"], "the payload")
    assert look(program, init).splitlines()[-1].endswith(r"a\x1b[31mb\nc 600")


def test_a_user_name_cannot_inject_escape_sequences_into_the_tree(
    start: Start, program: list[str], tmp_path: Path
) -> None:
    """The image's /etc/passwd may be anybody's."""
    passwd = tmp_path / "passwd"
    passwd.write_text("\x1b[31mx:x:0:0::/:\n")
    mount = ["sh", "-c", 'mount --bind "$1" /etc/passwd && shift && exec "$@"', "sh", str(passwd)]
    init = start("sleep", "600", place=[*NAMESPACE, *mount])
    until(lambda: any(procfs.command(each)[:1] == ["sleep"] for each in procfs.children(init.pid)), "the payload")
    assert [line.split()[1] for line in look(program, init).splitlines()[1:]] == [r"\x1b[31mx"] * 2


def test_tree_shows_the_age_of_each_process(start: Start, program: list[str]) -> None:
    init = start("sleep", "600")
    init.idle()
    until(lambda: seconds(look(program, init).splitlines()[1]) >= 2, "an init that is 2 s old")
    assert seconds(look(program, init).splitlines()[1]) < 60


def seconds(line: str) -> int:
    """The age of a process that is younger than a minute."""
    age = line.split()[3]
    assert age.endswith("s")
    return int(age[:-1])


def test_tree_does_not_take_a_process_whose_first_thread_has_ended_for_a_zombie(
    start: Start, program: list[str]
) -> None:
    script = (
        "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(600,)).start();"
        "input('ready'); ctypes.CDLL(None).pthread_exit(None)"
    )
    init = start("python3", "-c", script, stdin=subprocess.PIPE)
    init.expect("ready")
    payload = init.payload
    assert init.process.stdin
    os.write(init.process.stdin.fileno(), b"\n")
    until(lambda: procfs.state(payload) == "Z", "an ended first thread")
    line = look(program, init, tty=True).splitlines()[-1]
    assert " Z " in line
    assert "zombie" not in line
    assert "\x1b" not in line


def test_tree_lists_a_process_that_entered_the_namespace_beside_init(start: Start, program: list[str]) -> None:
    init = start("sleep", "600")
    init.idle()
    enter = ["nsenter", "-t", str(init.pid), "-p", "-m"]
    entered = start("sleep", "500", program=[], place=enter)
    until(lambda: [procfs.command(pid) for pid in procfs.children(entered.process.pid)] == [["sleep", "500"]], "it")
    lines = look(program, init).splitlines()[1:]
    assert [line.partition(" K  ")[2] for line in lines if line.endswith("0")][-1] == "sleep 500"
    assert [line.partition(" K  ")[2] for line in lines if line.endswith("600")][1:] == ["  sleep 600"]


def test_tree_shows_users_as_numbers_where_there_is_no_passwd(start: Start, program: list[str]) -> None:
    init = start(*shell("mount -t tmpfs none /etc && exec sleep 600"), place=[*NAMESPACE, "--mount"])
    until(lambda: procfs.command(init.payload) == ["sleep", "600"], "the payload")
    assert [line.split()[1] for line in look(program, init).splitlines()[1:]] == ["0", "0"]


def test_a_reader_of_help_or_tree_that_has_seen_enough_is_no_error(program: list[str]) -> None:
    for option in ("--tree", "--help", "--version", "--license"):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([*program, option], check=False, stdout=writer, stderr=subprocess.PIPE, timeout=20)
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, b"")


def test_tree_says_so_where_there_is_no_proc(program: list[str]) -> None:
    words = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh", *program, "--tree"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (125, "")
    assert re.fullmatch(r"pyinit: --tree: .*/proc.*\n", done.stderr)


def test_tree_shows_the_state_of_each_process(start: Start, program: list[str]) -> None:
    init = start("sleep", "600")
    os.kill(init.payload, signal.SIGSTOP)
    until(lambda: procfs.state(init.payload) == "T", "a stopped payload")
    lines = look(program, init).splitlines()
    assert [line.split()[2] for line in lines[2:]] == ["T"]
