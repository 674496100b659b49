"""The command line: whose options are whose, what is refused, and what is printed instead of a run."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import procfs
from tests.support.commands import ENVIRONMENT, PLACES, payload, shell
from tests.support.harness import Outcome
from tests.support.polling import PATIENCE
from tests.support.types import Start
from tests.support.wide import wide


def with_variable(value: str) -> dict[str, str]:
    """The tests' environment with PYINIT_OPTIONS."""
    return {**ENVIRONMENT, "PYINIT_OPTIONS": value}


def refused(outcome: Outcome, *words: str) -> None:
    """Check for exit code 125 and one line that has the words."""
    assert (outcome.code, outcome.stdout) == (125, "")
    assert outcome.stderr.startswith("pyinit: ")
    assert outcome.stderr.count("\n") == 1
    assert outcome.stderr.endswith("\n")
    for word in words:
        assert word in outcome.stderr


@pytest.mark.parametrize(
    "words",
    wide([["-l"], ["-h"], ["-g", "x"], ["--version"], ["--", "x"], ["-e", "8", "-e"], ["-Z", "--no"]], ["-g", "x"]),
)
@pytest.mark.parametrize("options", [[], ["--"], ["-g"], ["-e", "7", "--"], ["-g", "-w", "--log-format", "json"]])
def test_options_behind_the_program_are_the_payloads(start: Start, options: list[str], words: list[str]) -> None:
    """tini and catatonit take them for their own (moby #28454)."""
    assert start(*options, "printf", "<%s>", *words).wait() == (0, "".join(f"<{word}>" for word in words), "")


@pytest.mark.parametrize(
    ("words", "code", "warns", "verbose"),
    [
        (["-gwv"], 7, True, True),
        (["-gwve7:8"], 8, True, True),
        (["-g", "-w", "-e", "7"], 0, True, False),
        (["--group", "--verbose"], 7, False, True),
        (["-vvv"], 7, True, True),
    ],
)
def test_short_options_can_be_joined(start: Start, words: list[str], code: int, warns: bool, verbose: bool) -> None:
    done = start(*words, *shell("exit 7"), prepare=["zombies=1"]).wait()
    said = [line.split()[1] for line in done.stderr.splitlines()]
    assert done.code == code
    assert (said.count("reaped") > 0, said.count("payload") > 0) == (warns, verbose)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-Z", "true"], ["-Z", "-g", "--help"]),
        (["-e", "300", "true"], ["-e", "300", "255"]),
        ([], ["program", "--help"]),
    ],
)
def test_refused_words_are_one_line_and_125(start: Start, words: list[str], complaint: Sequence[str]) -> None:
    """tests/unit/test_refused_words.py has all of them."""
    refused(start(*words).wait(), *complaint)


def test_an_argument_that_looks_like_an_option_is_named_as_it_was_given(start: Start) -> None:
    """Regression: it was shown with a NUL in it."""
    refused(start("-p", "--follow=x", "true").wait(), "-p --follow=x: give a signal's name")


def test_refused_words_are_one_line_and_125_under_a_subreaper(start: Start) -> None:
    refused(start("-e", "300", "true", place="subreaper").wait(), "300")


def test_a_refused_word_with_a_newline_is_shown_in_one_line(start: Start) -> None:
    refused(start("--no\nsuch", "true").wait(), r"--no\nsuch")


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version_is_one_line_that_docker_can_parse(start: Start, option: str) -> None:
    """` - git.HASH` once, at the end, if at all."""
    outcome = start(option).wait()
    assert (outcome.code, outcome.stderr) == (0, "")
    assert re.fullmatch(r"pyinit \d+\.\d+\.\d+ \(CPython 3\.11\.\d+\)( - git\.[0-9a-f]+)?\n", outcome.stdout)


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_printed_on_standard_output(start: Start, option: str, place: str) -> None:
    outcome = start(option, place=place).wait()
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("Usage: pyinit [OPTIONS] [--] PROGRAM [ARG...]\n")
    for word in ("--group", "--rewrite", "PYINIT_OPTIONS", "125"):
        assert word in outcome.stdout


@pytest.mark.parametrize("option", ["-l", "--license"])
def test_the_licence_is_printed_on_standard_output(start: Start, option: str) -> None:
    outcome = start(option).wait()
    assert (outcome.code, outcome.stderr) == (0, "")
    assert "GNU General Public" in outcome.stdout


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_help_or_version_text_that_cannot_be_written_is_a_one_line_error(
    start: Start, option: str, place: str
) -> None:
    with open("/dev/full", "wb") as full:
        outcome = start(option, stdout=full.fileno(), place=place)
        assert outcome.process.wait(PATIENCE) == 125
        assert outcome.stderr == "pyinit: standard output: No space left on device\n"
    outcome = start(option, prepare=["close=1"], place=place)
    assert outcome.wait() == (125, "", "pyinit: standard output: Bad file descriptor\n")


def test_help_needs_no_program_and_starts_none(start: Start) -> None:
    outcome = start("-h", "echo", "started").wait()
    assert outcome.code == 0
    assert "\nstarted\n" not in outcome.stdout


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("--log-format json", ["-Z", "true"]),
        ("--log-format json", []),
        ("--log-format json -Z", ["true"]),
        ("", ["--log-format=json", "-Z", "true"]),
        ("", ["--log-format", "json", "--log-format"]),
        ("", ["--log-format=json", "-c", "-g", "true"]),
    ],
)
def test_errors_behind_log_format_json_are_json(start: Start, variable: str, words: list[str]) -> None:
    outcome = start(*words, environment=with_variable(variable)).wait()
    assert outcome.code == 125
    assert json.loads(outcome.stderr)["level"] == "error"


@pytest.mark.parametrize("value", ["-g -e 7:8", "  -g\t-e\n7:8 ", "--group --remap-exit=7:8", "-e 7:8"])
def test_pyinit_options_is_read(start: Start, place: str, value: str) -> None:
    """`docker run --init` passes no options."""
    assert start(*shell("exit 7"), place=place, environment=with_variable(value)).wait() == (8, "", "")


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_an_empty_pyinit_options_changes_nothing(start: Start, value: str) -> None:
    assert start(*shell("exit 7"), environment=with_variable(value)).wait() == (7, "", "")


@pytest.mark.parametrize(
    ("variable", "words", "code"),
    [("-e 7:8", ["-e", "7:9"], 9), ("-e 7:8", ["-e", "6:9"], 8), ("-e 7:8 --log-format=json", ["-g"], 8)],
)
def test_the_command_line_wins_over_pyinit_options(start: Start, variable: str, words: list[str], code: int) -> None:
    assert start(*words, *shell("exit 7"), environment=with_variable(variable)).wait() == (code, "", "")


@pytest.mark.parametrize(("variable", "option", "same"), [("-g", "-c", True), ("-S", "-c", True), ("-c", "-g", False)])
def test_a_group_option_on_the_command_line_wins_over_another_in_pyinit_options(
    start: Start, variable: str, option: str, same: bool
) -> None:
    init = start(option, "--", *payload("receive"), environment=with_variable(variable))
    init.expect("got is ready\n")
    assert (procfs.group(init.payload) == procfs.group(init.pid)) is same


@pytest.mark.parametrize(("value", "words"), [("-e 300", ["300"]), ("-g true", ["true"])])
def test_refused_words_of_pyinit_options_are_one_line_that_names_the_variable(
    start: Start, value: str, words: list[str]
) -> None:
    refused(start("true", environment=with_variable(value)).wait(), "PYINIT_OPTIONS", *words)


def test_the_tests_places_are_pid_1_and_a_child_of_the_tests(start: Start) -> None:
    """As PID 1 it really is PID 1; as a subreaper it is our child."""
    assert set(PLACES) == {"pid1", "subreaper"}
    one = start("--", *payload("receive"))
    one.expect("got is ready\n")
    assert procfs.status(one.pid)["NSpid"].split()[1:] == ["1"]
    other = start("--", *payload("receive"), place="subreaper")
    other.expect("got is ready\n")
    assert procfs.parent(other.pid) == os.getpid()


@pytest.mark.parametrize("kind", ["source"], indirect=True)
def test_the_installed_script_is_the_same_program(start: Start, place: str) -> None:
    script = [str(Path(sys.executable).with_name("pyinit"))]
    assert start("-e", "7:8", *shell("exit 7"), program=script, place=place).wait() == (8, "", "")
    assert start("--", *shell("kill -9 $$"), program=script, place=place).wait() == (137, "", "")
