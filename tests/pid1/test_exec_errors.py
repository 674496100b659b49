"""A program that cannot be started: 127, 126 or 125, and one line that says why."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.commands import ENVIRONMENT, with_mount
from tests.support.harness import Outcome
from tests.support.types import Start
from tools.namespace import NAMESPACE


def complains(outcome: Outcome, code: int, *words: str) -> None:
    """Check for the code, silence on standard output, and one line that has the words."""
    assert (outcome.code, outcome.stdout) == (code, "")
    assert outcome.stderr.startswith("pyinit: ")
    assert outcome.stderr.count("\n") == 1
    assert outcome.stderr.endswith("\n")
    for word in words:
        assert word in outcome.stderr


def script(path: Path, text: str, mode: int = 0o755) -> str:
    """Write a program; return its path."""
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_program_that_is_not_in_path_gives_127(start: Start, place: str) -> None:
    complains(start("no-such-program", place=place).wait(), 127, "no-such-program", "PATH")


def test_a_path_that_does_not_exist_gives_127(start: Start, place: str) -> None:
    complains(start("/no/such/program", place=place).wait(), 127, "/no/such/program", "No such file")


def test_a_path_that_leads_through_a_file_gives_127(start: Start) -> None:
    complains(start("/etc/passwd/program").wait(), 127, "/etc/passwd/program", "Not a directory")


def test_an_empty_program_name_gives_127(start: Start) -> None:
    complains(start("").wait(), 127, "pyinit: '': not found: its name is empty")


def test_a_script_whose_interpreter_is_missing_gives_127_and_names_the_interpreter(
    start: Start, tmp_path: Path
) -> None:
    program = script(tmp_path / "program", "#!/no/such/interpreter\n")
    complains(start(program).wait(), 127, program, "interpreter", "/no/such/interpreter")


def test_an_interpreter_whose_name_ends_with_a_carriage_return_is_shown_with_it(start: Start, tmp_path: Path) -> None:
    """Written on Windows: the name of the interpreter ends with one, and the line shows it."""
    program = script(tmp_path / "program", "#!/bin/sh\r\necho no\r\n")
    complains(start(program).wait(), 127, program, r"/bin/sh\r")


def test_a_binary_whose_loader_is_missing_gives_127_and_names_the_loader(start: Start, tmp_path: Path) -> None:
    program = tmp_path / "program"
    loader = b"/lib64/ld-linux-x86-64.so.2"
    program.write_bytes(Path("/bin/true").read_bytes().replace(loader, b"/lib64/ld-nowhere-at-all.so"))
    program.chmod(0o755)
    complains(start(str(program)).wait(), 127, str(program), "/lib64/ld-nowhere-at-all.so")


def test_a_program_without_execute_permission_gives_126(start: Start, tmp_path: Path) -> None:
    program = script(tmp_path / "program", "#!/bin/sh\n", 0o644)
    complains(start(program).wait(), 126, program, "ermission")


def test_a_directory_as_the_program_gives_126(start: Start, tmp_path: Path) -> None:
    complains(start(str(tmp_path)).wait(), 126, str(tmp_path), "directory")


def test_a_file_in_path_without_execute_permission_gives_126_if_nothing_else_is_found(
    start: Start, tmp_path: Path
) -> None:
    """As execvp does: it looks on, and if nothing else is there, that was the reason."""
    program = script(tmp_path / "program", "#!/bin/sh\n", 0o644)
    path = f"/nowhere:{tmp_path}:{ENVIRONMENT['PATH']}"
    complains(start("program", environment={"PATH": path}).wait(), 126, Path(program).name, "ermission")


def test_an_empty_part_of_path_does_not_hide_that_permission_was_missing(start: Start, tmp_path: Path) -> None:
    """Regression: from source the error named the missing interpreter of a script that does not exist."""
    program = script(tmp_path / "program", "#!/bin/sh\n", 0o644)
    complains(start("program", environment={"PATH": f"{tmp_path}:"}).wait(), 126, Path(program).name, "ermission")


def test_the_first_program_in_path_that_can_be_executed_is_executed(start: Start, tmp_path: Path) -> None:
    for name, mode in (("first", 0o644), ("second", 0o755), ("third", 0o755)):
        (tmp_path / name).mkdir()
        script(tmp_path / name / "program", f"#!/bin/sh\necho {name}\n", mode)
    path = ":".join([str(tmp_path / name) for name in ("none", "first", "second", "third")])
    assert start("program", environment={"PATH": path}).wait() == (0, "second\n", "")


def test_an_empty_part_of_path_means_the_current_directory(start: Start, tmp_path: Path) -> None:
    script(tmp_path / "program", "#!/bin/sh\necho found\n")
    assert start("program", environment={"PATH": "/nowhere:"}, directory=tmp_path).wait() == (0, "found\n", "")


def test_without_path_a_program_is_looked_for_in_the_usual_folders(start: Start) -> None:
    assert start("true", environment={}).wait() == (0, "", "")


def test_an_empty_path_means_the_current_directory_and_no_other(start: Start, tmp_path: Path) -> None:
    """Regression: the error said that the interpreter of /bin/ls is missing."""
    done = start("ls", environment={"PATH": ""}, directory=tmp_path).wait()
    complains(done, 127, "ls: not found in PATH")


@pytest.mark.parametrize("found", ["/usr/local/bin/true", "/bin/true"])
def test_without_path_source_and_frozen_search_in_the_same_order(start: Start, program: list[str], found: str) -> None:
    """Regression: the order was written down three times, and differed."""
    local = f"cp /bin/true {found}" if "local" in found else ":"
    around = with_mount(f"mount -t tmpfs none /usr/local/bin && {local}")
    # ld.so(8): says of every program what the kernel has started.
    done = start("true", program=[*around, *program], place="subreaper", environment={"LD_SHOW_AUXV": "1"}).wait()
    assert re.findall("^AT_EXECFN: +(.*)$", done.stdout, re.MULTILINE)[-1] == found


def test_a_script_without_interpreter_is_run_by_the_shell(start: Start, place: str, tmp_path: Path) -> None:
    program = script(tmp_path / "program", 'echo "$0" "$@"\nexit 3\n')
    assert start(program, "a", "b c", place=place).wait() == (3, f"{program} a b c\n", "")


def test_a_script_without_interpreter_that_is_found_in_path_is_run_by_the_shell(start: Start, tmp_path: Path) -> None:
    script(tmp_path / "program", "echo hello\n")
    path = f"{tmp_path}:{ENVIRONMENT['PATH']}"
    assert start("program", environment={"PATH": path}).wait() == (0, "hello\n", "")


def test_a_script_without_interpreter_gives_126_where_there_is_no_shell(start: Start, tmp_path: Path) -> None:
    program = script(tmp_path / "program", "echo never\n")
    complains(start(program, prepare=["hide=/bin/sh"]).wait(), 126, program, "/bin/sh", "#!")


@pytest.mark.parametrize(
    ("data", "number", "machine"),
    # elf.h: e_ident[EI_DATA] is the order of e_machine's bytes.
    [(1, b"\xb7\0", "aarch64"), (2, b"\0\x16", "s390x"), (1, b"\xe7\x03", "another machine")],
)
@pytest.mark.parametrize("in_path", [False, True])
def test_a_program_for_another_machine_is_not_taken_for_a_script(
    start: Start, tmp_path: Path, in_path: bool, data: int, number: bytes, machine: str
) -> None:
    """Regression: the shell ran it, so an image of the wrong architecture exited with 2 and a syntax error."""
    head = bytearray(Path("/bin/true").read_bytes())
    head[5] = data
    head[18:20] = number
    (tmp_path / "program").write_bytes(head)
    (tmp_path / "program").chmod(0o755)
    name = "program" if in_path else str(tmp_path / "program")
    done = start(name, environment={"PATH": f"{tmp_path}:/usr/bin"}).wait()
    complains(done, 126, f"{name}: cannot be executed: Exec format error", f"for {machine}, ", os.uname().machine)


def test_a_file_with_only_the_first_bytes_of_a_program_is_not_taken_for_a_script(start: Start, tmp_path: Path) -> None:
    """Regression: an internal error, because the rest of the header is missing."""
    program = script(tmp_path / "program", "\x7fELF")
    complains(start(program, prepare=["hide=/bin/sh"]).wait(), 126, f"{program}: cannot be executed: Exec format error")


@pytest.mark.parametrize(
    ("content", "is_script"), [("echo ran\0\n", False), ("echo ran\n\0", True), ("echo ran", True), ("", True)]
)
def test_a_file_with_a_zero_byte_in_its_first_line_is_not_taken_for_a_script(
    start: Start, tmp_path: Path, content: str, is_script: bool
) -> None:
    program = script(tmp_path / "program", content)
    done = start(program).wait()
    if is_script:
        assert (done.code, done.stdout) == (0, "ran\n" if content else "")
    else:
        complains(done, 126, f"{program}: cannot be executed: Exec format error")


def test_a_failed_fork_gives_125(start: Start) -> None:
    """No further process is allowed; root is exempt from that limit, and it counts all of a user's processes."""
    nobody_else = 100_000 + os.getpid()
    command = ["prlimit", "--nproc=1", "setpriv", f"--reuid={nobody_else}", "--regid=65534", "--clear-groups"]
    complains(start("true", place=[*NAMESPACE, *command]).wait(), 125, "fork")


@pytest.mark.parametrize("option", ["-g", "-c", "-S", "-a"])
def test_a_missing_program_gives_127_whatever_the_payloads_group_would_have_been(start: Start, option: str) -> None:
    complains(start(option, "no-such-program").wait(), 127, "no-such-program")


def test_the_exit_code_of_a_missing_program_is_remapped(start: Start) -> None:
    outcome = start("-e", "127:3", "no-such-program").wait()
    assert (outcome.code, outcome.stderr.count("\n")) == (3, 1)


def test_a_program_name_that_is_not_utf_8_is_shown_as_it_is(start: Start) -> None:
    outcome = start(b"/no/\xff\xfe").wait()
    assert outcome.code == 127
    assert b"/no/\xff\xfe" in os.fsencode(outcome.stderr)


def test_a_program_name_with_a_newline_is_shown_in_one_line(start: Start) -> None:
    complains(start("/no/such\nprogram").wait(), 127, r"/no/such\nprogram")
