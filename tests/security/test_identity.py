"""Nobody's rights grow: neither init's, nor those of a payload that -u has taken them from."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.commands import NOBODY, payload
from tests.support.harness import Outcome
from tests.support.polling import until
from tests.support.types import Start

WHO = (
    *("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"),
    *("NoNewPrivs", "Seccomp", "Cpus_allowed", "Umask"),
)
SOME = "+setuid,+setgid,+kill,+net_bind_service"
# What init may be started as.
STARTS: Mapping[str, Sequence[str]] = {
    "root": (),
    "no new privileges": ("setpriv", "--no-new-privs"),
    "a small bounding set": ("setpriv", "--bounding-set=-all,+kill,+setuid,+setgid", "--inh-caps=-all"),
    "nobody": NOBODY,
    "nobody with capabilities": (
        *("setpriv", "--reuid=65534", "--regid=65534", "--groups=4,24"),
        *(f"--inh-caps={SOME}", f"--ambient-caps={SOME}"),
    ),
}
# What must not help a payload to keep or get back what -u takes.
HELPS: Mapping[str, Sequence[str]] = {
    "root": (),
    "ambient": ("setpriv", f"--inh-caps={SOME}", f"--ambient-caps={SOME}"),
    "secure bits": ("setpriv", "--securebits=+no_setuid_fixup,+noroot", f"--inh-caps={SOME}", f"--ambient-caps={SOME}"),
    "not root": (
        *("setpriv", "--reuid=900", "--regid=900", "--clear-groups"),
        *(f"--inh-caps={SOME}", f"--ambient-caps={SOME}"),
    ),
}
REFUSED = "pyinit: start: real and effective ids differ: is the file set-user-ID? chmod ug-s takes that away\n"


def rights(pid: int) -> tuple[dict[str, str], bytes]:
    """Who a process is, and its limits."""
    found = procfs.status(pid)
    return {name: found[name] for name in WHO}, procfs.read(pid, "limits")


@pytest.mark.parametrize("before", STARTS)
def test_inits_identity_and_limits_never_change(start: Start, program: list[str], place: str, before: str) -> None:
    """They are those of a program started without an init: at work, with a signal behind it, and while stopping.

    The payload's are the same: no_new_privs too is handed on as it was.
    """
    bare = start(*payload("receive", "bare"), program=STARTS[before], place="subreaper")
    bare.expect("bare is ready\n")
    expected = rights(bare.pid)
    init = start("-t9", "-w", "--", *payload("leave", "deaf"), program=[*STARTS[before], *program], place=place)
    init.expect("ready")
    assert rights(init.pid) == rights(init.payload) == expected
    init.signal(signal.SIGHUP)
    init.idle()
    assert rights(init.pid) == expected
    init.signal(signal.SIGUSR1)
    until(lambda: procfs.command(init.pid)[0].startswith("pyinit: stopping"), "an init that stops")
    assert rights(init.pid) == expected


@pytest.mark.parametrize("before", HELPS)
def test_u_cannot_be_undone_by_the_payload(start: Start, program: list[str], place: str, before: str) -> None:
    """Whatever init was started with, each of the payload's attempts is refused."""
    before_init = start("-u", "65534:65534", "--", *payload("regain"), program=[*HELPS[before], *program], place=place)
    lines = before_init.wait().stdout.splitlines()
    assert len(lines) > 20
    assert [line for line in lines if not line.endswith(": refused")] == []


def test_without_u_the_payloads_attempts_to_regain_rights_succeed(start: Start) -> None:
    """Or the test before this one would show nothing."""
    lines = start("--", *payload("regain")).wait().stdout.splitlines()
    assert [line for line in lines if line.endswith(": refused")] == []


def test_with_no_new_privileges_a_set_user_id_program_gains_nothing(start: Start, program: list[str]) -> None:
    """That is what keeps -u from being undone by the image's own su: init hands it on."""
    show = ["sh", "-c", "grep -h -e NoNewPrivs -e ^CapEff /proc/self/status"]
    words = ["-u", "65534:65534", "--", *show]
    done = start(*words, program=["setpriv", "--no-new-privs", *program]).wait()
    assert done.stdout.split() == ["CapEff:", "0" * 16, "NoNewPrivs:", "1"]


@pytest.mark.parametrize("differing", ["--ruid=65534", "--rgid=65534"])
def test_init_refuses_to_run_as_a_set_user_id_process(
    start: Start, program: list[str], place: str, differing: str
) -> None:
    """As which a set-user-ID file runs; what was asked for does not matter, nor does the name."""
    for words in (["--", "echo", "started"], ["--version"], ["-P"]):
        around = ["setpriv", *(["--keep-groups"] if "rgid" in differing else []), differing]
        done = start(*words, program=[*around, *program], place=place).wait()
        assert done == (125, "", REFUSED)


@pytest.mark.parametrize(("mode", "code"), [(0o4755, 125), (0o2755, 125), (0o755, 0)])
def test_init_refuses_to_run_from_a_set_user_id_file(frozen: Path, tmp_path: Path, mode: int, code: int) -> None:
    """Otherwise whoever may execute it would be root."""
    copy = f'mount -t tmpfs -o mode=755,suid tmpfs "$1" && cp "$2" "$1/pyinit" && chmod {mode:o} "$1/pyinit"'
    # The folders above are the test's own, and closed to others.
    script = f'{copy} && cd "$1" && exec {" ".join(NOBODY)} ./pyinit id -u'
    place = ["unshare", "--mount", "--fork", "--kill-child", "sh", "-c", script, "sh", str(tmp_path), str(frozen)]
    done = subprocess.run(place, check=False, capture_output=True, text=True, timeout=20)
    expected = (REFUSED, "") if code else ("", "65534\n")
    assert Outcome(done.returncode, done.stdout, done.stderr) == (code, *expected[::-1])
