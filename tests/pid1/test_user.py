"""-u: the payload's identity, from the image's own files, with nothing left of the old one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.commands import shell
from tests.support.harness import Outcome
from tests.support.polling import until
from tests.support.requirements import need
from tests.support.types import Start
from tests.support.wide import one_in
from tools.namespace import NAMESPACE

PASSWD = """\
root:x:0:0:root:/root:/bin/sh
worker:x:1000:1001:Worker:/home/worker:/bin/sh
4242:x:77:78:a name of digits:/home/digits:/bin/sh
homeless:x:1003:1003:::
short:x:1004
none:x:4294967295:0::/:
far:x:99999999999999999999:0::/:
# no entry
"""
GROUP = """\
root:x:0:
staff:x:50:worker,other
video:x:44:other
audio:x:29:other,worker
workers:x:1001:worker
broken:x:many:worker
most:x:4294967295:
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A directory that takes the place of /etc."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text(PASSWD)
    (tmp_path / "etc" / "group").write_text(GROUP)
    return tmp_path / "etc"


def around(image: Path, place: str) -> list[str]:
    """The words that start an init, as PID 1 or not, with another /etc."""
    mount = ["sh", "-c", 'mount --bind "$1" /etc && shift && exec "$@"', "sh", str(image)]
    return [*(NAMESPACE if place == "pid1" else ("unshare", "--mount", "--fork", "--kill-child")), *mount]


def run(start: Start, place: Sequence[str] | str, user: str, *options: str) -> Outcome:
    """Run a payload that says who it is."""
    script = 'sed -nE "/^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Amb)):/p" /proc/self/status; echo "HOME $HOME"'
    return start(*options, "-u", user, "--", *shell(script), place=place).wait()


def fields(outcome: Outcome) -> dict[str, list[str]]:
    """What the payload has said."""
    assert (outcome.code, outcome.stderr) == (0, "")
    lines = (line.replace(":", " ").split() for line in outcome.stdout.splitlines())
    return {words[0]: words[1:] for words in lines}


@pytest.mark.parametrize(
    ("user", "uid", "gid", "groups", "home"),
    [
        ("worker", 1000, 1001, [29, 50, 1001], "/home/worker"),
        ("1000", 1000, 1001, [29, 50, 1001], "/home/worker"),
        ("worker:video", 1000, 44, [44], "/home/worker"),
        ("worker:7", 1000, 7, [7], "/home/worker"),
        ("1000:video", 1000, 44, [44], "/home/worker"),
        ("5:6", 5, 6, [6], "/"),
        ("4242:5", 4242, 5, [5], "/"),
        ("77", 77, 78, [78], "/home/digits"),
        ("homeless", 1003, 1003, [1003], "/"),
        ("4294967294:4294967294", 4294967294, 4294967294, [4294967294], "/"),
    ],
)
def test_with_u_the_payload_has_the_ids_groups_and_home_of_the_user(
    start: Start, image: Path, place: str, user: str, uid: int, gid: int, groups: list[int], home: str
) -> None:
    """Real, effective, saved and file system ids; groups; HOME; and no capability."""
    found = fields(run(start, around(image, place), user))
    assert found["Uid"] == [str(uid)] * 4
    assert found["Gid"] == [str(gid)] * 4
    assert sorted(map(int, found["Groups"])) == groups
    assert found["HOME"] == [home]
    assert {int(found[name][0], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}


@pytest.mark.parametrize(
    ("passwd", "group", "user", "uid", "gid"),
    [
        ("1000:x:0:0:root:/:/bin/sh\n", "", "1000:1000", 1000, 1000),
        ("1000:x:0:0:root:/:/bin/sh\nworker:x:1000:1001::/:\n", "", "1000", 1000, 1001),
        ("1000:x:0:0:root:/:/bin/sh\nworker:x:01000:1001::/:\n", "", "001000", 1000, 1001),
        ("", "1000:x:0:\n", "1000:1000", 1000, 1000),
        ("worker:x:1000:1001::/:\n", "50:x:0:\n", "worker:50", 1000, 50),
    ],
)
def test_a_number_is_an_id_whatever_names_the_image_has(
    start: Start, image: Path, passwd: str, group: str, user: str, uid: int, gid: int
) -> None:
    """Regression: a user *named* 1000 made `-u 1000:1000` root, as CVE-2016-3697 and CVE-2024-40635 did elsewhere."""
    (image / "passwd").write_text(passwd)
    (image / "group").write_text(group)
    found = fields(run(start, around(image, "pid1"), user))
    assert (found["Uid"], found["Gid"]) == ([str(uid)] * 4, [str(gid)] * 4)


@pytest.mark.parametrize("user", ["4294967295:0", "99999999999999999999", "0:4294967295"])
def test_a_number_that_is_no_id_is_refused_whatever_names_the_image_has(start: Start, image: Path, user: str) -> None:
    numbers = user.split(":")
    (image / "passwd").write_text("".join(f"{number}:x:0:0:root:/:\n" for number in numbers))
    (image / "group").write_text("".join(f"{number}:x:0:\n" for number in numbers))
    code, out, error = run(start, around(image, "pid1"), user)
    assert (code, out) == (125, "")
    assert error.startswith(f"pyinit: -u {user}: the id ")


def test_with_u_root_with_another_group_stays_root(start: Start, image: Path) -> None:
    found = fields(run(start, around(image, "pid1"), "root:staff"))
    assert (found["Uid"], found["Gid"], found["Groups"]) == (["0"] * 4, ["50"] * 4, ["50"])
    assert int(found["CapEff"][0], 16) != 0


def test_with_u_inheritable_and_ambient_capabilities_are_dropped(start: Start, image: Path, program: list[str]) -> None:
    """Those outlive exec, and where init is not root its change of user as well."""
    some = "+setuid,+setgid,+kill"
    who = ["setpriv", "--reuid=900", "--regid=900", "--clear-groups", f"--inh-caps={some}", f"--ambient-caps={some}"]
    mount = around(image, "pid1")
    script = 'sed -nE "/^(Uid|Cap(Inh|Prm|Eff|Amb)):/p" /proc/self/status'
    found = fields(start("-u", "worker", "--", *shell(script), place=mount, program=[*who, *program]).wait())
    assert found["Uid"] == ["1000"] * 4
    assert {int(found[name][0], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}


def test_in_a_user_namespace_u_takes_mapped_ids_and_refuses_others(start: Start, image: Path) -> None:
    """As rootless podman has it: ids that are mapped can be taken, others cannot."""
    need("newuidmap", "newgidmap")
    for name in ("subuid", "subgid"):
        (image / name).write_text("root:100000:2000\n")
    mapped = ["unshare", "--user", "--map-users=100000,0,2000", "--map-groups=100000,0,2000"]
    inside = [*around(image, "subreaper"), *mapped, "--setuid=0", "--setgid=0", *NAMESPACE[1:]]
    found = fields(run(start, inside, "worker"))
    assert (found["Uid"], found["Gid"]) == (["1000"] * 4, ["1001"] * 4)
    assert {int(found[name][0], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    code, out, error = run(start, inside, "3000:3000")
    assert (code, out) == (125, "")
    assert error.startswith("pyinit: set") and error.count("\n") == 1


@pytest.mark.parametrize(
    ("user", "error"),
    one_in(
        4,
        [
            ("nobody-here", "-u nobody-here: /etc/passwd has no user nobody-here"),
            ("worker:nothing", "-u worker:nothing: /etc/group has no group nothing"),
            ("123", "-u 123: /etc/passwd has no user 123: name a group too, as 123:123"),
            ("short", "-u short: /etc/passwd has no user short"),
            ("worker:broken", "-u worker:broken: /etc/group has no group broken"),
            ("none", "-u none: the id 4294967295 is over 4294967294"),
            ("far", "-u far: the id 99999999999999999999 is over 4294967294"),
            ("1:most", "-u 1:most: the id 4294967295 is over 4294967294"),
            ("4294967295:0", "-u 4294967295:0: the id 4294967295 is over 4294967294"),
            ("0:4294967295", "-u 0:4294967295: the id 4294967295 is over 4294967294"),
            (f"{'9' * 5000}:0", "-u 999"),
            ("", "-u"),
            (":5", "-u"),
            ("5:", "-u"),
            ("-1:0", "-u"),
        ],
    ),
)
def test_a_user_that_cannot_be_had_is_refused_before_anything_starts(
    start: Start, image: Path, place: str, user: str, error: str
) -> None:
    code, out, line = run(start, around(image, place), user)
    assert (code, out) == (125, "")
    assert line.startswith(f"pyinit: {error}") and line.count("\n") == 1


@pytest.mark.parametrize(
    ("user", "missing"), [("worker", "passwd"), ("1000:staff", "group"), ("worker:staff", "group")]
)
def test_a_user_or_group_file_that_is_missing_is_named(start: Start, image: Path, user: str, missing: str) -> None:
    (image / missing).unlink()
    code, out, error = run(start, around(image, "pid1"), user)
    assert (code, out) == (125, "")
    assert error == f"pyinit: -u: /etc/{missing}: No such file or directory; give numbers: -u 1000:1000\n"


@pytest.mark.parametrize(("user", "groups"), [("1000:1001", ["1001"]), ("worker", ["1001"])])
def test_user_and_group_files_that_are_not_needed_may_be_missing(
    start: Start, image: Path, user: str, groups: list[str]
) -> None:
    (image / "group").unlink()
    if user != "worker":
        (image / "passwd").unlink()
    assert fields(run(start, around(image, "pid1"), user))["Groups"] == groups


def test_without_the_capabilities_for_u_the_error_names_them(
    start: Start, image: Path, place: str, program: list[str]
) -> None:
    who = ["setpriv", "--reuid=900", "--regid=900", "--clear-groups"]
    init = start("-u", "worker", "--", "true", place=around(image, place), program=[*who, *program])
    hint = "-u needs the capabilities SETUID and SETGID, and CHOWN for /dev/stdout and /dev/stderr"
    assert init.wait() == (125, "", f"pyinit: setgroups failed: Operation not permitted; {hint}\n")


def test_with_u_the_program_is_looked_for_as_that_user(start: Start, image: Path, tmp_path: Path) -> None:
    """What only root can execute is refused: exec comes after the change."""
    secret = tmp_path / "secret"
    secret.write_text("#!/bin/sh\necho executed\n")
    secret.chmod(0o700)
    os.chown(secret, 0, 0)
    outcome = start("-u", "worker", "--", str(secret), place=around(image, "pid1")).wait()
    assert outcome.code == 126
    assert outcome.stdout == ""


def test_with_u_home_is_in_the_environment_once(start: Start, image: Path) -> None:
    prepare = ["env=HOME=/a", "env=HOME=/b", "env=PATH=/usr/bin:/bin"]
    init = start("-u", "worker", "--", "env", place=around(image, "pid1"), prepare=prepare)
    assert [line for line in init.wait().stdout.splitlines() if line.startswith("HOME")] == ["HOME=/home/worker"]


def test_with_u_a_variable_of_the_interpreters_own_is_not_the_payloads(start: Start) -> None:
    """Regression: from source CPython's LC_CTYPE (PEP 538) was the payload's: /proc/self/environ had become root's."""
    done = start("-u", "65534:65534", "--", "env", environment={"PATH": "/usr/bin:/bin"}, place="subreaper").wait()
    assert "LC_CTYPE" not in done.stdout


def test_with_u_init_itself_keeps_its_user(start: Start, image: Path) -> None:
    """It must be able to signal what the payload becomes."""
    words = ["sleep", "600"]
    init = start("-u", "worker", "--", *words, place=around(image, "pid1"))
    # Before it is the init, it is a shell that has mount as a child.
    pid = until(lambda: next((pid for pid in procfs.children(init.pid) if procfs.command(pid) == words), 0), "it")
    assert procfs.status(init.pid)["Uid"].split() == ["0"] * 4
    assert procfs.status(pid)["Uid"].split() == ["1000"] * 4
    init.signal(15)
    assert init.wait().code == 143
