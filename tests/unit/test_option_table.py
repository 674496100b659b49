"""The option table: what getopt makes of a command line, for any mixture of options and other words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit import exit_codes
from pyinit.cli import cli
from pyinit.cli.option_table import Option
from pyinit.cli.rows import TABLE
from pyinit.exit_codes import Failure
from pyinit.options import Options

OPTIONS = TABLE.options
SAMPLES = {"FROM:TO": "TERM:QUIT", "CODE[:NEW]": "7:8", "SECONDS": "2", "SIGNAL": "TERM", "USER[:GROUP]": "1000"}
SAMPLES["text|json"] = "json"
SAMPLES["[=PIDFILE]"] = "/run/pid"


def spelt(option: Option) -> list[list[str]]:
    """Every way to give the option, with an argument if it takes one."""
    ways = []
    for word in option.words():
        if not option.argument:
            ways.append([word])
        elif option.optional:
            ways += [[word], [f"{word}={SAMPLES[option.argument]}"]]
        else:
            sample = SAMPLES[option.argument]
            ways += [[word, sample], [f"{word}={sample}" if word.startswith("--") else word + sample]]
    return ways


WAYS = st.sampled_from([(option, way) for option in OPTIONS for way in spelt(option)])
# What a payload is given: options' look-alikes too.
WORDS = st.lists(st.one_of(st.text(max_size=5), st.sampled_from(["-g", "--", "-Z", "--help", "-r", ""])))


@given(st.lists(WAYS, max_size=8), st.text(min_size=1).filter(lambda text: text[0] != "-"), WORDS, st.booleans())
def test_option_parsing_stops_at_the_first_argument_that_is_not_an_option(
    given_options: list[tuple[Option, list[str]]], program: str, words: list[str], dashes: bool
) -> None:
    line = [word for _, way in given_options for word in way]
    found, rest = TABLE.parse([*line, *["--"] * dashes, program, *words], Options())
    assert [each.name for each in found] == [option.name for option, _ in given_options]
    assert rest == [program, *words]


@given(st.lists(st.text(max_size=6)))
def test_any_command_line_is_understood_or_refused_in_a_sentence(words: list[str]) -> None:
    try:
        TABLE.parse(words, Options())
    except Failure as failure:
        assert failure.code == exit_codes.INTERNAL
        assert failure.message.endswith("(see pyinit --help)")


@given(st.lists(st.sampled_from("gaSsPwv"), min_size=1))
def test_short_options_can_be_joined(letters: list[str]) -> None:
    found, rest = TABLE.parse(["-" + "".join(letters), "x"], Options())
    assert ([each.letter for each in found], rest) == (letters, ["x"])


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.name])
def test_long_options_can_be_cut_short(option: Option) -> None:
    """As getopt_long has it: to what no other name begins with."""
    others = [other.name for other in OPTIONS if other is not option]
    for length in range(1, len(option.name) + 1):
        short = option.name[:length]
        takes_one = option.argument and not option.optional
        words = [f"--{short}", *([SAMPLES[option.argument]] if takes_one else []), "x"]
        if short == option.name or not any(name.startswith(short) for name in others):
            assert TABLE.parse(words, Options())[0] == [option]
        elif short not in others:
            with pytest.raises(Failure, match="may be any of"):
                TABLE.parse(words, Options())


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.argument and not option.optional])
def test_an_option_without_its_argument_is_named(option: Option) -> None:
    for word in option.words():
        with pytest.raises(Failure) as raised:
            TABLE.parse([word], Options())
        assert f"{word} needs an argument: {word} {option.argument}" in raised.value.message


def test_no_option_is_in_the_table_twice() -> None:
    words = [word for option in OPTIONS for word in option.words()]
    assert len(words) == len(set(words))


def test_help_names_every_option_in_120_columns() -> None:
    text = cli.help_text()
    for option in OPTIONS:
        for word in option.words():
            assert word in text
        assert option.help in text
    assert max(map(len, text.splitlines())) <= 120
