"""The exit code tells how the payload ended, or why there was none."""

from __future__ import annotations

import pytest

from tests.conftest import Start
from tests.harness import shell


@pytest.mark.parametrize("code", [0, 1, 2, 42, 125, 126, 127, 128, 143, 254, 255])
def test_the_payloads_exit_code_is_ours(start: Start, place: str, code: int) -> None:
    assert start(*shell(f"exit {code}"), place=place).wait() == (code, "", "")
