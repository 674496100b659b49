"""Whatever stands in the place of a file that init reads: bounded memory and time, the right identity, and one line."""

from __future__ import annotations

import ast
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.commands import ENVIRONMENT, PAYLOADS, PROGRAMS, compiled, payload, shell
from tests.support.polling import PATIENCE
from tests.support.requirements import frozen_file
from tests.support.types import Start
from tests.support.wide import one_in
from tools.namespace import NAMESPACE

# KB of memory that a file may cost beyond what an ordinary one does.
EXTRA = 1024
PASSWD = b"root:x:0:0:root:/root:/bin/sh\nworker:x:1000:1001::/home/worker:/bin/sh\n"
GROUP = b"root:x:0:\nstaff:x:50:worker\n"
# More than is read of a file.
LONG = 5 << 20


class Seen(NamedTuple):
    """How an init with -u ended: its exit code, its lines, the payload's ids and HOME, and its memory in KB."""

    code: int
    stderr: str
    user: list[str]
    group: list[str]
    groups: list[str]
    home: str
    memory: int


def run(program: Sequence[str], user: str, passwd: bytes | Path, group: bytes | Path) -> Seen:
    """Run a payload that says who it is, where these are /etc/passwd and /etc/group; paths are linked to."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("passwd", passwd), ("group", group)):
            if isinstance(content, Path):
                Path(folder, name).symlink_to(content)
            else:
                Path(folder, name).write_bytes(content)
        log = Path(folder, "memory")
        around = ["unshare", "--mount", *shell('mount --bind "$1" /etc && shift && exec "$@"', folder)]
        say = [*("busybox", "sh", "-c"), 'busybox grep -E "^(Uid|Gid|Groups):" /proc/self/status; echo "HOME: $HOME"']
        peak = [str(compiled("peak")), "/etc/memory"]
        done = subprocess.run(
            [*around, *peak, *program, "-u", user, "--", *say],
            check=False,
            capture_output=True,
            timeout=PATIENCE,
            env=ENVIRONMENT,
        )
        lines = dict(line.split(":", 1) for line in os.fsdecode(done.stdout).split("\n") if ":" in line)
        uid, gid, groups = (lines.get(name, "").split() for name in ("Uid", "Gid", "Groups"))
        memory = int(log.read_text())
        return Seen(done.returncode, os.fsdecode(done.stderr), uid, gid, groups, lines.get("HOME", ""), memory)


# What a hostile file is made of: fields that are nearly right, and much of nothing.
FIELDS = st.sampled_from(
    [
        *(b"", b"x", b"0", b"00", b"1000", b"01000", b"4294967295", b"-1", b"+1", b"1_0", b"9" * 5000, b" 1000"),
        *(b"worker", b"root", b"worker,root", b"/", b"\0", b"\r", b"\xff", b"\xd9\xa1", b"a" * 70000, b"," * 70000),
    ]
)
LINES = st.tuples(st.lists(FIELDS, max_size=9), st.sampled_from([b"\n", b"\r\n", b"\r", b""])).map(
    lambda line: b":".join(line[0]) + line[1]
)
USERS = st.tuples(st.sampled_from([b"worker", b"1000", b"0"]), st.sampled_from([b"0", b"1000", b"7"]), FIELDS).map(
    lambda line: b"%b:x:%b:0::%b:\n" % line
)
GROUPS = st.tuples(FIELDS, st.sampled_from([b"0", b"1000", b"4294967295"]), FIELDS).map(
    lambda line: b"%b:x:%b:%b\n" % line
)
BLOCKS = st.tuples(
    st.one_of(LINES, USERS, GROUPS, st.sampled_from([b"\n", b":", b",", b"\0"])), st.integers(0, 22)
).map(lambda block: (block[0] * ((1 << block[1]) // max(1, len(block[0])) + 1))[:LONG])
CONTENTS = st.lists(st.one_of(LINES, USERS, GROUPS, BLOCKS), max_size=5).map(b"".join)
OTHERS = st.sampled_from(
    [Path("/dev/zero"), Path("/dev/tty"), Path("/usr"), Path("/none"), Path("passwd"), Path("group")]
)
FILES = st.one_of(CONTENTS, CONTENTS, CONTENTS, OTHERS)
WANTED = st.sampled_from(["1000:1000", "1000", "0", "0:1000", "worker", "worker:7", "1000:staff", "7:7", "01000:0007"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_file_makes_a_number_another_id_or_init_large_or_slow(name: str) -> None:
    """With numbers alone the payload always starts; with names it may be refused, by one line that says why."""
    program = PROGRAMS[name]
    if name == "frozen":
        frozen_file()
    usual = max(run(program, user, PASSWD, GROUP).memory for user in ("1000:1000", "worker", "none"))

    @settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(WANTED, FILES, FILES)
    def check(user: str, passwd: bytes | Path, group: bytes | Path) -> None:
        seen = run(program, user, passwd, group)
        numbers = [str(int(word)) if word.isdigit() else None for word in user.split(":")]
        assert seen.memory <= usual + EXTRA
        if seen.code or seen.stderr:
            assert seen.stderr.startswith("pyinit: ") and seen.stderr.count("\n") == 1
            assert "internal error" not in seen.stderr
        if seen.code:
            assert seen.code == 125
            assert len(numbers) == 1 or None in numbers
        else:
            assert numbers[0] is None or seen.user == [numbers[0]] * 4
            assert len(numbers) == 1 or numbers[1] is None or seen.group == [numbers[1]] * 4
            assert len(numbers) == 1 or len(seen.groups) == 1

    check()


HOSTILE: dict[str, bytes | Path] = {
    "new lines": b"\n" * LONG,
    "colons": b":" * LONG,
    "lines that look like the user's": b"worker::1000:\n" * (LONG // 14),
    "a long line": b"worker:x:1000:1001:" + b"x" * (1 << 20) + b":/:\n",
    "without end": Path("/dev/zero"),
}


@pytest.mark.parametrize("passwd", HOSTILE)
def test_a_hostile_passwd_takes_no_memory_and_the_error_names_it(program: list[str], passwd: str) -> None:
    """Regression: with 4 MB of new lines init took hundreds of MB for its whole life."""
    usual = run(program, "1000:1000", PASSWD, GROUP)
    assert (usual.code, usual.home.strip()) == (0, "/home/worker")
    numbers, name = (run(program, user, HOSTILE[passwd], GROUP) for user in ("1000:1000", "worker"))
    assert (numbers.code, numbers.user, numbers.group, numbers.home.strip()) == (0, ["1000"] * 4, ["1000"] * 4, "/")
    assert numbers.stderr.startswith("pyinit: -u 1000:1000: /etc/passwd: ")
    assert name.code == 125
    assert name.stderr.startswith("pyinit: -u: /etc/passwd: ")
    assert name.stderr.endswith("; give numbers: -u 1000:1000\n")
    assert max(numbers.memory, name.memory) <= usual.memory + EXTRA


def test_a_user_beyond_what_is_read_of_passwd_is_not_called_missing(program: list[str]) -> None:
    """It may be there: but the file is longer than any image's."""
    beyond = run(program, "worker", b"#\n" * (LONG // 2) + PASSWD, GROUP)
    assert beyond.code == 125
    assert beyond.stderr == "pyinit: -u: /etc/passwd: it has more than 4194304 bytes; give numbers: -u 1000:1000\n"
    before = run(program, "worker", PASSWD + b"#\n" * (LONG // 2), GROUP)
    assert (before.code, before.stderr, before.user) == (0, "", ["1000"] * 4)


def test_large_user_and_group_files_of_an_honest_image_are_read(program: list[str]) -> None:
    """Fifty thousand users and groups, and five thousand members of one."""
    passwd = b"".join(
        b"user%d:x:%d:100:User %d:/home/user%d:/bin/sh\n" % ((number,) * 4) for number in range(2000, 52000)
    )
    group = b"".join(b"group%d:x:%d:\n" % (number, number) for number in range(2000, 52000))
    members = b"all:x:60:" + b",".join(b"user%d" % number for number in range(2000, 7000)) + b",worker\n"
    for user in ("worker", "1000"):
        seen = run(program, user, passwd + PASSWD, group + members + GROUP)
        assert (seen.code, seen.stderr, seen.user, seen.group) == (0, "", ["1000"] * 4, ["1001"] * 4)
        assert sorted(seen.groups) == ["1001", "50", "60"]


@pytest.mark.parametrize(
    ("group", "why"),
    [
        (Path("/usr"), "pyinit: -u: /etc/group: Is a directory; give numbers"),
        (b"x" * LONG, "pyinit: -u: /etc/group: it has a line of more than 65536 bytes; give numbers"),
        (b"\n" * LONG, "pyinit: -u: /etc/group: it has more than 4194304 bytes; give numbers"),
        (
            b"".join(b"g:x:%d:worker\n" % number for number in range(5000)),
            "pyinit: -u worker: /etc/group has more than 4096 groups of this user: name one",
        ),
    ],
    ids=["a folder", "a long line", "new lines", "many groups"],
)
def test_supplementary_groups_that_cannot_be_known_are_not_left_out_without_a_word(
    program: list[str], group: bytes | Path, why: str
) -> None:
    """-u USER promises all of them; with a group of its own, or two numbers, nobody looks."""
    seen = run(program, "worker", PASSWD, group)
    assert (seen.code, seen.user) == (125, [])
    assert seen.stderr.startswith(why) and seen.stderr.count("\n") == 1
    assert run(program, "worker:7", PASSWD, group).groups == ["7"]


def kinds() -> list[str]:
    """The kinds of payloads/fake_proc.py."""
    tree = ast.parse((PAYLOADS / "fake_proc.py").read_text())
    found = [
        node.value for node in tree.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "KINDS"
    ]
    return [ast.literal_eval(key) for each in found if isinstance(each, ast.Dict) for key in each.keys if key]


# As PID 1, or as a subreaper where the end of the namespace is the end of all that is left.
WHERE = {
    "pid1": NAMESPACE,
    "subreaper": (*NAMESPACE, *shell('"$@"; exit $?')),
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("kind_of_proc", one_in(3, ([kind] for kind in kinds())))
def test_no_forged_proc_ends_init(start: Start, program: list[str], where: str, kind_of_proc: str) -> None:
    """Regression: a number that no system call takes, in a /proc of the payload's, ended init with 125."""
    fake = payload("fake_proc", kind_of_proc)
    script = "(sleep 600 & sleep 600 &); kill -TERM $PPID; trap '' TERM; exit 3"
    words = [
        "-vv",
        "-w",
        "-a",
        "-t",
        "0.5",
        "--follow=/none",
        "-r",
        "TERM:USR1",
        "--",
        *shell(f"trap '' USR1; {script}"),
    ]
    for options in (words, [word for word in words if not word.startswith("--follow")]):
        done = start(*options, program=[*fake, *program], place=[*WHERE[where], "unshare", "--mount"]).wait()
        assert "internal error" not in done.stderr
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stderr and "\x9b" not in done.stderr
        assert done.code == 3


def test_follow_follows_no_process_that_only_a_hostile_proc_shows_as_inits_child(
    start: Start, program: list[str]
) -> None:
    """Regression: init followed it, could not wait for it, and killed it."""
    fake = [*payload("fake_proc", "a stranger"), *program]
    done = start("--follow", "true", program=fake, place=[*WHERE["subreaper"], "unshare", "--mount"]).wait()
    assert done.code == 125
    assert done.stderr.endswith("--follow: the payload has left no process that could take its place\n")


@pytest.mark.parametrize("kind_of_proc", kinds())
def test_no_forged_proc_injects_escape_sequences_into_the_tree(program: list[str], kind_of_proc: str) -> None:
    """Regression: the state's letter was printed as it stood there, which may be more than a letter."""
    command = [*NAMESPACE, *payload("fake_proc", kind_of_proc), *program, "--tree"]
    done = subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE)
    assert done.returncode in (0, 125)
    assert b"internal error" not in done.stderr
    assert not set(done.stdout + done.stderr) & set(b"\x1b\x9b\r")
    # A line for each process, none longer for those below it: a deep tree takes no memory by the square of its depth.
    assert max(map(len, done.stdout.splitlines()), default=0) < 400
