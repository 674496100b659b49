"""The command line: whose options are whose, what is refused, and what is printed instead of a run."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import processes
from tests.commands import ENVIRONMENT, PLACES, payload, shell
from tests.conftest import Start
from tests.ending import kill
from tests.harness import Init, Outcome
from tests.waiting import PATIENCE, until

RUN = ("sh", "-c", "exit 0")


def with_variable(value: str) -> dict[str, str]:
    """Return the tests' environment with PYINIT_OPTIONS."""
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
    [["-l"], ["-h"], ["-g", "x"], ["--version"], ["--", "x"], ["-e", "8", "-e"], ["-Z", "--no-such-option"]],
)
@pytest.mark.parametrize("options", [[], ["--"], ["-g"], ["-e", "7", "--"], ["-g", "-w", "--log-format", "json"]])
def test_the_payloads_options_are_its_own(start: Start, options: list[str], words: list[str]) -> None:
    """tini and catatonit take them for their own (moby #28454)."""
    assert start(*options, "printf", "<%s>", *words).wait() == (0, "".join(f"<{word}>" for word in words), "")


@pytest.mark.parametrize("words", [["-gwv"], ["-gwve7:8"], ["-g", "-w", "-e", "7"], ["--group", "--verbose"], ["-vvv"]])
def test_options_can_be_joined(start: Start, words: list[str]) -> None:
    assert start(*words, *RUN).wait().code == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-Z", "true"], ["-Z", "-g", "--help"]),
        (["-gZ", "true"], ["-Z"]),
        (["--no-such", "true"], ["--no-such", "--help"]),
        (["--gruop", "true"], ["--gruop"]),
        (["--group=yes", "true"], ["--group", "no argument"]),
        (["-r"], ["-r", "FROM:TO"]),
        (["-e"], ["-e", "CODE"]),
        (["-p"], ["-p", "SIGNAL"]),
        (["--rewrite"], ["--rewrite", "FROM:TO"]),
        (["-r", "TERM", "true"], ["-r", "TERM", "FROM:TO"]),
        (["-r", "TERM:", "true"], ["-r", "TERM:", "FROM:TO"]),
        (["-r", ":TERM", "true"], ["-r", ":TERM", "FROM:TO"]),
        (["-r", "FOO:TERM", "true"], ["FOO:TERM", "names or numbers"]),
        (["-r", "TERM:FOO", "true"], ["TERM:FOO", "names or numbers"]),
        (["-r", "0:TERM", "true"], ["0:TERM"]),
        (["-r", "65:TERM", "true"], ["65:TERM"]),
        (["-r", "TERM:65", "true"], ["TERM:65"]),
        (["-r", "32:TERM", "true"], ["32:TERM"]),
        (["-r", "TERM:-1", "true"], ["TERM:-1"]),
        (["-r", "RTMIN+31:TERM", "true"], ["RTMIN+31:TERM"]),
        (["-e", "300", "true"], ["-e", "300", "255"]),
        (["-e", "-1", "true"], ["-e", "-1", "255"]),
        (["-e", "x", "true"], ["-e", "x", "255"]),
        (["-e", "143:", "true"], ["143:", "255"]),
        (["-e", "143:256", "true"], ["143:256", "255"]),
        (["-e", "", "true"], ["-e", "255"]),
        (["-p", "FOO", "true"], ["-p", "FOO", "TERM"]),
        (["-p", "0", "true"], ["-p", "0"]),
        (["--log-format", "xml", "true"], ["xml", "text", "json"]),
        (["-c", "-g", "true"], ["-c", "-g"]),
        (["-c", "-S", "true"], ["-c", "-S"]),
        ([], ["program", "--help"]),
        (["--"], ["program"]),
        (["-g"], ["program"]),
        (["-P", "true"], ["-P", "true"]),
        (["--s", "true"], ["--s", "--session", "--subreaper"]),
    ],
)
def test_what_is_refused_is_named(start: Start, words: list[str], complaint: Sequence[str]) -> None:
    refused(start(*words).wait(), *complaint)


def test_as_a_subreaper_too(start: Start) -> None:
    refused(start("-e", "300", "true", place="subreaper").wait(), "300")


def test_a_word_with_a_newline_stays_one_line(start: Start) -> None:
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
def test_the_licence_is_printed(start: Start, option: str) -> None:
    outcome = start(option).wait()
    assert (outcome.code, outcome.stderr) == (0, "")
    assert "GNU General Public" in outcome.stdout


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_text_that_cannot_be_written_is_no_internal_error(start: Start, option: str, place: str) -> None:
    with open("/dev/full", "wb") as full:
        outcome = start(option, stdout=full.fileno(), place=place)
        assert outcome.process.wait(PATIENCE) == 125
        assert outcome.stderr == "pyinit: standard output: No space left on device\n"
    outcome = start(option, prepare=["close=1"], place=place)
    assert outcome.wait() == (125, "", "pyinit: standard output: Bad file descriptor\n")


def test_texts_need_no_program_and_start_none(start: Start) -> None:
    outcome = start("-h", "echo", "started").wait()
    assert outcome.code == 0
    assert "\nstarted\n" not in outcome.stdout


def test_verbose_says_what_happens_on_standard_error(start: Start, place: str) -> None:
    """tini's INFO goes to standard output, into what the payload's readers get."""
    outcome = start("-v", *shell("echo output; exit 3"), place=place).wait()
    assert (outcome.code, outcome.stdout) == (3, "output\n")
    lines = outcome.stderr.splitlines()
    assert all(line.startswith("pyinit: ") for line in lines)
    assert any("started" in line for line in lines)
    assert any("3" in line for line in lines)


def test_twice_it_says_every_signal(start: Start) -> None:
    init = start("-vv", "--", *payload("receive"))
    init.expect("got is ready\n")
    init.signal(37)
    init.expect("got 37 ")
    init.expect_error("RTMIN+3")


def test_init_says_nothing_by_itself(start: Start, place: str) -> None:
    assert start(*shell("( true & ); kill -TERM $$"), place=place).wait() == (143, "", "")


def test_json_is_one_object_for_a_line(start: Start) -> None:
    outcome = start("-vvw", "--log-format", "json", *shell("( true & ); exit 3")).wait()
    found = [json.loads(line) for line in outcome.stderr.splitlines()]
    assert found
    for each in found:
        assert isinstance(each["time"], float)
        assert each["level"] in ("error", "warning", "info", "debug")
        assert isinstance(each["message"], str)
    assert outcome.code == 3


def test_errors_are_json_as_well(start: Start) -> None:
    outcome = start("--log-format=json", '/no/"such\\\n\xff').wait()
    assert outcome.code == 127
    assert '/no/"such' in json.loads(outcome.stderr)["message"]


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("--log-format json", ["-Z", "true"]),
        ("--log-format json", []),
        ("--log-format json -Z", ["true"]),
        ("", ["--log-format=json", "-Z", "true"]),
        ("", ["--log-format=json", "-c", "-g", "true"]),
    ],
)
def test_errors_in_the_options_are_json_as_soon_as_that_was_said(start: Start, variable: str, words: list[str]) -> None:
    outcome = start(*words, environment=with_variable(variable)).wait()
    assert outcome.code == 125
    assert json.loads(outcome.stderr)["level"] == "error"


@pytest.mark.parametrize("kind", ["source"], indirect=True)
def test_an_internal_error_keeps_to_the_options(start: Start, tmp_path: Path) -> None:
    (tmp_path / "prctl.py").write_text("def set_child_subreaper(_):\n    raise ValueError('odd')\n")
    environment = {**ENVIRONMENT, "PYTHONPATH": str(tmp_path)}
    outcome = start("--log-format=json", "-e", "125:9", "true", place="subreaper", environment=environment).wait()
    assert outcome.code == 9
    assert json.loads(outcome.stderr)["message"] == "internal error: ValueError: odd"


def test_json_is_utf_8_whatever_the_names_are(start: Start) -> None:
    outcome = start("--log-format=json", b"/no/\xff\xfe").wait()
    assert os.fsencode(outcome.stderr).decode("utf-8")
    assert "/no/" in json.loads(outcome.stderr)["message"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_pause_ends_with_0(start: Start, place: str, number: int) -> None:
    init = start("-P", place=place)
    init.idle()
    init.signal(number)
    assert init.wait() == (0, "", "")


def test_other_signals_do_not_end_a_pause(start: Start, place: str) -> None:
    init = start("--pause", place=place)
    init.idle()
    for number in sorted(set(range(1, 65)) - {2, 9, 15, 19, 32, 33}):
        init.signal(number)
    init.idle()
    assert init.process.poll() is None
    init.signal(signal.SIGTERM)
    assert init.wait() == (0, "", "")


def test_a_pause_reaps(start: Start, place: str) -> None:
    init = start("-P", place=place, prepare=["zombies=70", "cloned=3"])
    init.idle()
    until(lambda: not processes.children(init.pid), "all reaped")


def test_a_pause_can_be_stopped_before_it_has_begun(start: Start, place: str) -> None:
    assert start("-P", place=place, prepare=["block=15", "raise=15"]).wait() == (0, "", "")


@pytest.mark.parametrize(
    ("container", "number"),
    [("systemd-nspawn", 37), ("systemd-nspawn", 38), ("systemd-nspawn", 47), ("systemd-nspawn", 48), ("lxc", 30)],
)
def test_a_request_to_halt_ends_a_pause(start: Start, container: str, number: int) -> None:
    """RTMIN+3 and others, and PWR under lxc, mean TERM."""
    init = start("-P", environment={**ENVIRONMENT, "container": container})
    init.idle()
    init.signal(number)
    assert init.wait() == (0, "", "")


def test_a_pause_rewrites(start: Start, place: str) -> None:
    init = start("-P", "-r", "HUP:TERM", "-r", "INT:0", place=place)
    init.idle()
    init.signal(signal.SIGINT)
    init.idle()
    assert init.process.poll() is None
    init.signal(signal.SIGHUP)
    assert init.wait() == (0, "", "")


def test_what_is_rewritten_for_a_payload_ends_a_pause_too(start: Start, place: str) -> None:
    """PYINIT_OPTIONS may be an image's, for its server."""
    init = start("-P", "-r", "TERM:QUIT", place=place)
    init.idle()
    init.signal(signal.SIGTERM)
    assert init.wait() == (0, "", "")


def test_a_pause_names_whom_it_reaps(start: Start, place: str) -> None:
    init = start("-P", "-w", place=place, prepare=["zombies=1"])
    assert re.search(r"pyinit: reaped \d+ \(prepare.*\): exit code \d+\n", init.expect_error("\n"))


@pytest.mark.parametrize("value", ["-g -e 7:8", "  -g\t-e\n7:8 ", "--group --remap-exit=7:8", "-e 7:8"])
def test_the_variable_is_read(start: Start, place: str, value: str) -> None:
    """`docker run --init` passes no options."""
    assert start(*shell("exit 7"), place=place, environment=with_variable(value)).wait() == (8, "", "")


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_an_empty_variable_changes_nothing(start: Start, value: str) -> None:
    assert start(*shell("exit 7"), environment=with_variable(value)).wait() == (7, "", "")


@pytest.mark.parametrize(
    ("variable", "words", "code"),
    [("-e 7:8", ["-e", "7:9"], 9), ("-e 7:8", ["-e", "6:9"], 8), ("-e 7:8 --log-format=json", ["-g"], 8)],
)
def test_the_command_line_wins(start: Start, variable: str, words: list[str], code: int) -> None:
    assert start(*words, *shell("exit 7"), environment=with_variable(variable)).wait() == (code, "", "")


@pytest.mark.parametrize(("variable", "option", "same"), [("-g", "-c", True), ("-S", "-c", True), ("-c", "-g", False)])
def test_it_wins_where_the_two_contradict_each_other(start: Start, variable: str, option: str, same: bool) -> None:
    init = start(option, "--", *payload("receive"), environment=with_variable(variable))
    init.expect("got is ready\n")
    assert (processes.group(init.payload) == processes.group(init.pid)) is same


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("-Z", ["-Z"]),
        ("-e 300", ["300"]),
        ("-r", ["-r"]),
        ("-c -g", ["-c", "-g"]),
        ("-P", ["-P"]),
        ("--tree", ["--tree"]),
        ("-h", ["-h"]),
        ("-V", ["-V"]),
        ("-l", ["-l"]),
        ("true", ["true"]),
        ("-g true", ["true"]),
        ("-g -- true", ["true"]),
    ],
)
def test_what_is_refused_there_is_named_with_the_variable(start: Start, value: str, words: list[str]) -> None:
    refused(start("true", environment=with_variable(value)).wait(), "PYINIT_OPTIONS", *words)


def child_of_a_parent(start: Start, program: Sequence[str], option: str, place: str) -> tuple[Init, int, int]:
    """Start an init below a shell; return the shell's Init, and the pids of init and payload."""
    script = '"$@" & read -r word; exit 0'
    reader, writer = os.pipe()
    words = [*program, "-p", option, "--", *payload("receive")]
    parent = start(*shell(script, *words), program=(), place=place, stdin=reader)
    os.close(reader)
    parent.expect("got is ready\n")

    def receiver() -> int:
        found = [pid for pid in processes.descendants(parent.pid) if processes.command(pid) == payload("receive")]
        return found[0] if found else 0

    below = until(receiver, "the payload")
    init = processes.parent(below)
    assert processes.parent(init) == parent.pid
    os.close(writer)
    return parent, init, below


@pytest.mark.parametrize("option", ["TERM", "15", "SIGTERM"])
def test_the_parents_death_is_a_signal(start: Start, program: list[str], option: str) -> None:
    parent, init, below = child_of_a_parent(start, program, option, "subreaper")
    # The shell's end was caused by the closed pipe.
    assert parent.wait().code == 0
    parent.expect("got 15 ")
    kill(below)
    until(lambda: not processes.alive(init), "init's end")


def test_the_parents_death_can_be_init_and_payloads_own(start: Start, program: list[str]) -> None:
    parent, init, below = child_of_a_parent(start, program, "KILL", "subreaper")
    assert parent.wait().code == 0
    until(lambda: not processes.alive(init), "init's end")
    until(lambda: not processes.alive(below), "the payload's end")


def test_without_that_option_init_stays(start: Start, program: list[str]) -> None:
    script = '"$@" & exit 0'
    first = start(*shell(script, *program, "--", *payload("receive")), program=(), place="subreaper")
    first.expect("got is ready\n")
    assert first.wait().code == 0
    below = until(
        lambda: next(
            (pid for pid in processes.descendants(os.getpid()) if processes.command(pid) == payload("receive")), 0
        ),
        "the payload",
    )
    init = processes.parent(below)
    os.kill(init, signal.SIGUSR1)
    first.expect("got 10 ")
    kill(below)
    until(lambda: not processes.alive(init), "init's end")


def test_places_are_what_the_tests_think(start: Start) -> None:
    """As PID 1 it really is PID 1; as a subreaper it is our child."""
    assert set(PLACES) == {"pid1", "subreaper"}
    one = start("--", *payload("receive"))
    one.expect("got is ready\n")
    assert processes.status(one.pid)["NSpid"].split()[1:] == ["1"]
    other = start("--", *payload("receive"), place="subreaper")
    other.expect("got is ready\n")
    assert processes.parent(other.pid) == os.getpid()


def test_the_installed_script_is_the_same_program(start: Start, kind: str, place: str) -> None:
    if kind == "frozen":
        pytest.skip("there is no script")
    script = [str(Path(sys.executable).with_name("pyinit"))]
    assert start("-e", "7:8", *shell("exit 7"), program=script, place=place).wait() == (8, "", "")
    assert start("--", *shell("kill -9 $$"), program=script, place=place).wait() == (137, "", "")
