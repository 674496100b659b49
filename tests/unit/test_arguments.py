"""Values of options: every text is either what was meant, or refused with what would be right."""

from __future__ import annotations

import signal as python

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit import signals
from pyinit.cli import values

NUMBERS = st.sampled_from(sorted(signals.ALL))
CODES = st.integers(0, 255)
# Digits that int() takes and no user means: Arabic, full-width; signs, blanks, underscores.
ODD_NUMBERS = st.sampled_from(["", "+1", "-1", " 1", "1 ", "1_0", "\u0661", "\uff11", "0x1", "1.0", "1e1", "\u00b2"])


def spellings(number: int) -> list[str]:
    """Every way in which a signal may be written."""
    name = signals.name(number)
    names = [name, f"SIG{name}", name.lower(), f"sig{name.lower()}", f"Sig{name.title()}", str(number), f"{number:03}"]
    if number >= signals.RTMIN:
        names.append(f"RTMAX-{signals.RTMAX - number}")
    return names


@given(NUMBERS.flatmap(lambda number: st.tuples(st.just(number), st.sampled_from(spellings(number)))))
def test_a_signal_is_understood_in_every_spelling(case: tuple[int, str]) -> None:
    number, text = case
    assert values.signal(text) == number


@pytest.mark.parametrize("member", sorted(python.Signals))
def test_the_names_of_signals_are_those_of_the_machine(member: python.Signals) -> None:
    """All but real-time ones, which libc counts as it likes."""
    if member < signals.RTMIN:
        assert signals.number(member.name) == member
        assert python.Signals(signals.number(signals.name(member))) == member


@pytest.mark.parametrize(("text", "number"), [("IOT", 6), ("CLD", 17), ("POLL", 29), ("RTMIN+0", 34), ("RTMAX", 64)])
def test_other_names_of_signals_are_understood(text: str, number: int) -> None:
    assert signals.number(text) == number


@given(st.integers().filter(lambda number: number not in signals.ALL))
def test_a_number_that_is_no_signals_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="name or number"):
        values.signal(str(number))


@given(st.text())
def test_any_text_is_a_signal_or_refused(text: str) -> None:
    try:
        number = values.signal(text)
    except ValueError as error:
        assert "TERM" in str(error)
    else:
        assert number in signals.ALL


@pytest.mark.parametrize(
    "text",
    ["", "SIG", "SIGSIGTERM", "TERM ", " TERM", "SIG15", "RTMIN+31", "RTMIN-1", "RTMAX+1", "RTMAX-31", "RTMIN+", "RT"],
)
def test_a_text_that_is_no_signals_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name or number"):
        values.signal(text)


@given(ODD_NUMBERS)
def test_numbers_with_signs_blanks_or_foreign_digits_are_refused(text: str) -> None:
    for parse in (values.signal, values.exit_code, values.remap):
        with pytest.raises(ValueError, match=r"\d"):
            parse(text)


@given(NUMBERS.filter(lambda number: number not in signals.NOT_FORWARDED), NUMBERS)
def test_every_rewrite_is_understood(old: int, new: int) -> None:
    assert values.rewrite(f"{old}:{new}") == (old, new)
    assert values.rewrite(f"{signals.name(old)}:{signals.name(new)}") == (old, new)
    assert values.rewrite(f"{old}:0") == (old, 0)


@pytest.mark.parametrize("old", ["KILL", "STOP", "CHLD", "9", "19", "17"])
def test_a_signal_that_is_never_forwarded_cannot_be_rewritten(old: str) -> None:
    with pytest.raises(ValueError, match="never forwarded"):
        values.rewrite(f"{old}:TERM")


@given(st.text(alphabet="TERMHUP0159:+SIG"))
def test_any_text_is_a_rewrite_or_refused(text: str) -> None:
    try:
        old, new = values.rewrite(text)
    except ValueError as error:
        assert "FROM:TO" in str(error) or "never comes" in str(error)
    else:
        assert text.count(":") == 1
        assert old in signals.ALL
        assert new in signals.ALL | {0}


@given(CODES, CODES)
def test_every_remapping_of_exit_codes_is_understood(old: int, new: int) -> None:
    assert values.remap(f"{old}:{new}") == (old, new)
    assert values.remap(str(old)) == (old, 0)


@given(st.integers().filter(lambda code: not 0 <= code <= 255), CODES)
def test_numbers_that_are_no_exit_codes_are_refused(wrong: int, code: int) -> None:
    for text in (f"{wrong}", f"{wrong}:{code}", f"{code}:{wrong}"):
        with pytest.raises(ValueError, match="0 to 255"):
            values.remap(text)


def test_an_exit_code_of_more_digits_than_python_reads_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 255"):
        values.remap("9" * 5000)


@given(st.text())
def test_any_text_is_a_remapping_or_refused(text: str) -> None:
    try:
        old, new = values.remap(text)
    except ValueError as error:
        assert "CODE:NEW" in str(error)
    else:
        assert 0 <= old <= 255
        assert 0 <= new <= 255


@given(st.integers(0, 1000), st.sampled_from([("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("", 1)]))
def test_durations_are_understood_in_every_unit(amount: int, unit: tuple[str, float]) -> None:
    assert values.seconds(f"{amount}{unit[0]}") == pytest.approx(amount * unit[1])


@given(st.floats(0, 1000, allow_nan=False).map(lambda value: f"{value:.3f}"))
def test_fractions_of_seconds_are_understood(text: str) -> None:
    assert values.seconds(text) == pytest.approx(float(text))


@given(st.text())
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        value = values.seconds(text)
    except ValueError as error:
        assert "seconds" in str(error) or "year" in str(error)
    else:
        assert 0 <= value <= values.LONGEST


@pytest.mark.parametrize(
    "text", ["", "-1", "x", "1.", "1.s", "1d", "1 s", "s", "inf", "nan", "1e3", "1.2.3", "1sm", "\u0661"]
)
def test_a_text_that_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="seconds"):
        values.seconds(text)


def test_a_duration_of_more_than_a_year_is_refused() -> None:
    with pytest.raises(ValueError, match="year"):
        values.seconds("9000h")
