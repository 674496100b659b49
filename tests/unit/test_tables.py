"""Tables that must agree with the machine's own: signals and wait statuses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyinit import exit_codes, signals


@given(st.integers(0, 255))
def test_the_wait_status_of_an_exit_gives_its_exit_code(code: int) -> None:
    assert exit_codes.exit_code(code << 8) == code


@given(st.sampled_from(sorted(signals.ALL)), st.booleans())
def test_the_wait_status_of_a_death_by_signal_gives_128_plus_its_number(number: int, dumped: bool) -> None:
    """Whether it wrote a core file or not (wait(2): 0x80)."""
    assert exit_codes.exit_code(number | (0x80 if dumped else 0)) == 128 + number


def test_every_signal_has_a_name_of_its_own() -> None:
    names = [signals.name(number) for number in range(1, 65)]
    assert len(set(names)) == 64
    assert [signals.number(signals.name(number)) for number in sorted(signals.ALL)] == sorted(signals.ALL)


def test_the_table_of_signals_leaves_out_libcs_own() -> None:
    assert set(range(1, 65)) - signals.ALL == {32, 33}
