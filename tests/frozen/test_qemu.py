"""QEMU's user emulation, by which amd64 images run on arm64 machines: the start fails with the same line and code."""

from __future__ import annotations

import resource
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.commands import WITHOUT_KILL_AND_SETUID, payload, shell
from tests.support.requirements import installed
from tests.support.types import Start
from tools.namespace import NAMESPACE

EMULATOR = "qemu-x86_64-static"
PROGRAMS = {
    "not found": "/no/such/program",
    "not in PATH": "no-such-program",
    "an empty name": "",
    "a directory": "/etc",
    "not executable": "/etc/passwd",
    "a script without its interpreter": "SCRIPT",
}


@pytest.fixture
def kind() -> str:
    """QEMU runs the frozen file; from source there is nothing of pyinit's to emulate."""
    return "frozen"


@pytest.fixture
def emulated(frozen: Path) -> list[str]:
    """The command that is dist/pyinit under QEMU."""
    return [installed(EMULATOR), str(frozen)]


@pytest.mark.parametrize("options", [(), ("-S",), ("-c",)])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_cannot_be_executed_is_explained_as_without_qemu(
    start: Start, emulated: list[str], tmp_path: Path, name: str, options: Sequence[str]
) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    words = [*options, "--", PROGRAMS[name].replace("SCRIPT", str(script))]
    outcome = start(*words, program=emulated).wait()
    assert outcome == start(*words, program=emulated[1:]).wait()
    assert outcome.code in (126, 127)
    assert outcome.stderr.startswith("pyinit: ")


def test_a_user_that_init_may_not_take_is_explained_as_without_qemu(start: Start, emulated: list[str]) -> None:
    how = {"place": [*NAMESPACE, *WITHOUT_KILL_AND_SETUID]}
    outcome = start("-u", "5:5", "--", "true", program=emulated, **how).wait()
    assert outcome == start("-u", "5:5", "--", "true", program=emulated[1:], **how).wait()
    assert outcome.code == 125
    assert outcome.stderr.startswith("pyinit: setuid failed: ")


@pytest.mark.parametrize("code", [0, 126, 127])
def test_under_qemu_the_payloads_exit_code_is_not_taken_for_a_failed_exec(
    start: Start, emulated: list[str], code: int
) -> None:
    assert start("--", *shell(f"exit {code}"), program=emulated).wait() == (code, "", "")


@pytest.mark.parametrize("options", [(), ("-S",), ("-u", "5:5")])
def test_under_qemu_a_signal_reaches_the_payload(start: Start, emulated: list[str], options: Sequence[str]) -> None:
    init = start(*options, "--", *payload("receive"), program=emulated)
    init.expect("got is ready\n")
    init.signal(signal.SIGTERM)
    init.expect("got 15 ")


def test_under_qemu_the_payload_gets_none_of_inits_descriptors(start: Start, emulated: list[str]) -> None:
    """Those of the pipe close at its exec. ls has the folder open as 3."""
    assert start("--", "ls", "/proc/self/fd", program=emulated).wait() == (0, "0\n1\n2\n3\n", "")


def test_a_failed_start_is_explained_where_no_descriptor_is_to_spare(start: Start) -> None:
    """Without QEMU the shared memory tells of it: no pipe is needed."""
    prepare = [f"limit={resource.RLIMIT_NOFILE}:3"]
    outcome = start("--", "/no/such/program", prepare=prepare).wait()
    assert outcome == (127, "", "pyinit: /no/such/program: not found: No such file or directory\n")
