"""Which program is the payload: the one that glibc's execvp(3) would find, whatever an image has in its folders."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.commands import NOBODY, payload
from tests.support.harness import Outcome
from tests.support.polling import PATIENCE
from tests.support.types import Start

NAME_MAX, PATH_MAX = 255, 4096
OVER_LONG = "/" + "o" * (PATH_MAX - 1)
# What an element of PATH may be; see `image`.
ELEMENTS = (
    *("none", "file", "loop", "closed", "empty", "folder", "refused", "dangling", "circle"),
    *("script", "plain", "orphan", "busy", "second", "relative/", "long"),
)
NAMES = ("program", "program", "program", "./program", "none/program", "p" * NAME_MAX, "")
# As whom: as init, and with -u, which looks before it executes.
USERS: Sequence[tuple[Sequence[str], Sequence[str]]] = [
    ((), ()),
    (("-u", "0:0"), ()),
    (("-u", "65534:65534"), ("/usr/bin/setpriv", *NOBODY[1:])),
]
# Codes by errno; every other is 126.
NOT_FOUND = (errno.ENOENT, errno.ENOTDIR)
# Where musl's words differ from glibc's (strerror(3)).
MUSLS = {errno.EIO: "I/O error", errno.ELOOP: "Symbolic link loop", errno.ENAMETOOLONG: "Filename too long"}


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """A folder, which everybody may enter, with one of each kind."""
    with tempfile.TemporaryDirectory() as name:
        image = Path(name)
        fill(image)
        with (image / "busy" / "program").open("a"):
            yield image


def fill(image: Path) -> None:
    """Make the folders, and what there is of the program in each."""
    image.chmod(0o755)
    for name in ("closed", "empty", "folder", "refused", "dangling", "circle", "relative"):
        (image / name).mkdir()
    for name in ("script", "plain", "orphan", "busy", "second"):
        (image / name).mkdir()
    (image / "file").touch(0o755)
    (image / "loop").symlink_to("loop")
    (image / "folder" / "program").mkdir()
    (image / "dangling" / "program").symlink_to("nowhere")
    (image / "circle" / "program").symlink_to("program")
    for name in ("script", "second", "refused", "busy", "closed", "relative"):
        script(image / name / "program", f"#!/bin/sh\necho {name}\n")
    script(image / "plain" / "program", "echo plain\n")
    script(image / "orphan" / "program", "#!/no/such/interpreter\n")
    (image / "refused" / "program").chmod(0o644)
    (image / "closed").chmod(0o700)


def script(path: Path, text: str) -> None:
    """Write a program."""
    path.write_text(text)
    path.chmod(0o755)


def search_path(image: Path, elements: Sequence[str]) -> str:
    """Return PATH with these elements."""
    special = {"": "", "long": "/" + "l" * (PATH_MAX - 5), "over-long": OVER_LONG, "relative/": "relative"}
    return ":".join(special.get(each, str(image / each)) for each in elements)


def is_named(number: int, line: str) -> bool:
    """Return true if a line says the reason that `number` stands for."""
    return os.strerror(number) in line or MUSLS.get(number, "?") in line


def execvp(user: Sequence[str], name: str, environment: dict[str, str], image: Path) -> tuple[str, int]:
    """Return what the program that libc's execvp(3) finds has written, or nothing and the errno."""
    command = [*user, *payload("execvp", name)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=image)
    assert done.stderr == ""
    word, _, number = done.stdout.strip().rpartition(" ")
    return ("", int(number)) if word == "errno" else (number, 0)


@pytest.mark.parametrize(("options", "user"), USERS, ids=["as init", "-u 0", "-u 65534"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.one_of(st.none(), st.lists(st.sampled_from([*ELEMENTS, "over-long", ""]), max_size=6)), st.sampled_from(NAMES)
)
@example(["refused", "none", "file"], "program")
@example(["none", "loop", "script"], "program")
@example(["file", "folder", "circle", "second"], "program")
@example(["none", "file"], "program")
@example(["long", "script"], "program")
@example(["none", "over-long", "second"], "program")
@example(None, "program")
def test_the_program_is_the_one_that_execvp_finds(
    start: Start, image: Path, options: Sequence[str], user: Sequence[str], elements: list[str] | None, name: str
) -> None:
    """Where nothing is found, the reason is execvp's as well."""
    environment = {} if elements is None else {"PATH": search_path(image, elements)}
    written, number = execvp(user, name, environment, image)
    if set(elements or ()) == {"over-long"} and "/" not in name:
        # execvp(3) has done nothing, and errno is left as it was.
        number = number or errno.ENOENT
    done = start(*options, "--", name, place="subreaper", environment=environment, directory=image).wait(PATIENCE)
    if written:
        assert (done.code, done.stdout, done.stderr) == (0, f"{written}\n", "")
    else:
        assert (done.code, done.stdout) == (127 if number in NOT_FOUND else 126, "")
        assert number in NOT_FOUND or is_named(number, done.stderr) or "directory" in done.stderr


def test_an_element_of_path_that_is_too_long_is_not_the_current_directory(start: Start, tmp_path: Path) -> None:
    """As in musl: glibc 2.36 takes the end of such an element for an empty one, and so looks there."""
    script(tmp_path / "program", "#!/bin/sh\necho here\n")
    environment = {"PATH": f"{OVER_LONG}:/nowhere"}
    done = start("program", environment=environment, directory=tmp_path).wait()
    assert (done.code, done.stdout, done.stderr) == (127, "", "pyinit: program: not found in PATH\n")


def test_a_name_that_no_file_can_have_is_too_long_wherever_path_leads(start: Start) -> None:
    """As in musl: glibc 2.36 means to say so too, but cuts the name before it measures it."""
    code, written, errors = start("p" * (NAME_MAX + 1), environment={"PATH": "/nowhere"}).wait()
    assert (code, written) == (126, "")
    assert is_named(errno.ENAMETOOLONG, errors)


@pytest.mark.parametrize("options", [[], ["-u", "0:0"]], ids=["as init", "-u"])
@pytest.mark.parametrize("name", ["ESTALE", "ENODEV", "ETIMEDOUT", "ENOTDIR", "EACCES", "ENOENT", "EIO", "ELOOP"])
def test_after_an_error_of_the_file_system_the_search_goes_on_as_execvps_does(
    start: Start, program: list[str], tmp_path: Path, options: list[str], name: str
) -> None:
    """Network file systems answer such: of those that end the search, the line names the reason."""
    for place in ("first", "second"):
        (tmp_path / place).mkdir()
        script(tmp_path / place / "program", f"#!/bin/sh\necho {place}\n")
    first = tmp_path / "first" / "program"
    calls = "execve,stat,newfstatat"
    tracing = ["/usr/bin/strace", "-D", "-f", "-qq", "-o", str(tmp_path / "trace"), "-P", str(first)]
    tracing += ["-e", f"trace={calls}", "-e", f"inject={calls}:error={name}"]
    environment = {"PATH": f"{tmp_path / 'first'}:{tmp_path / 'second'}"}

    def run(*command: str) -> Outcome:
        return start(*command, program=(), place="subreaper", environment=environment).wait()

    expected = run(*tracing, *payload("execvp", "program"))[1]
    code, written, errors = run(*tracing, *program, *options, "--", "program")
    assert "INJECTED" in (tmp_path / "trace").read_text()
    if expected == "second\n":
        assert (code, written, errors) == (0, expected, "")
    else:
        number = int(expected.split()[1])
        assert (code, written) == (126, "")
        assert is_named(number, errors)
