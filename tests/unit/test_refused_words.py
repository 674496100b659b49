"""Words that are refused, on the command line and in PYINIT_OPTIONS, under pyinit's own name and under its peers'.

That the message is one line on standard error, and the exit code the process's, is seen in tests/pid1/test_options.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pyinit.cli import cli
from pyinit.cli.compat import originals
from pyinit.exit_codes import Failure
from pyinit.options import Options

PEERS = ["tini", "tini-static", "docker-init", "dumb-init", "catatonit", "podman-init"]


def refusal(words: Sequence[str], name: str = "pyinit") -> Failure:
    """Have a command line parsed that must be refused; return what says so."""
    persona = originals.persona_for(name)
    parse = persona.parse if persona else cli.parse
    with pytest.raises(Failure) as raised:
        parse(list(words), Options())
    return raised.value


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
def test_a_refused_word_is_named_with_what_would_be_right(words: list[str], complaint: Sequence[str]) -> None:
    failure = refusal(words)
    assert failure.code == 125
    assert [part for part in complaint if part not in failure.message] == []


@pytest.mark.parametrize(
    ("value", "complaint"),
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
def test_a_refused_word_of_pyinit_options_is_named_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, value: str, complaint: Sequence[str]
) -> None:
    monkeypatch.setenv("PYINIT_OPTIONS", value)
    failure = refusal(["true"])
    assert failure.code == 125
    assert [part for part in ("PYINIT_OPTIONS", *complaint) if part not in failure.message] == []


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("words", [[], ["-z"], ["--no-such"]], ids=["nothing", "letter", "word"])
def test_bad_usage_under_a_peers_name_has_the_peers_exit_code(name: str, words: list[str]) -> None:
    assert refusal(words, name).code == 1


@pytest.mark.parametrize("rule", ["0:15", "32:15", "15", "15:32", "15:x", "", "15::12", "herp:derp", "15:-1"])
def test_dumb_init_takes_numbers_from_1_to_31_alone(rule: str) -> None:
    failure = refusal(["-r", rule, "true"], "dumb-init")
    assert failure.code == 1
    assert rule in failure.message
