"""Whatever init is started with, the payload gets exactly that, and init does its work; or says why it cannot."""

from __future__ import annotations

import pytest

from tests.long.hostile.contract import Start, live
from tests.long.hostile.starts import STARTS
from tests.support.outcomes import ENDED, HELD
from tests.support.wide import one_in

KINDS = [
    pytest.param(kind, hostile, id=f"{kind}-{hostile.name}")
    for hostile in STARTS
    for kind in ("source", "frozen")
    if kind == "frozen" or not hostile.frozen_only
]
HELD_BY = [pytest.param(each) for each in STARTS if not each.line]


@pytest.mark.parametrize(("kind", "hostile"), one_in(3, KINDS), indirect=["kind"])
def test_init_keeps_its_contract_under_every_hostile_start(
    program: list[str], kind: str, place: str, hostile: Start
) -> None:
    changed = hostile.from_source if kind == "source" else {}
    result = live([*program, "--"], hostile, place, changed=changed)
    assert result.outcome == (ENDED if hostile.line else HELD), result
    assert result.detail.startswith(f"pyinit: {hostile.line}") if hostile.line else not result.detail, result


@pytest.mark.parametrize("kind", ["frozen"], indirect=True)
@pytest.mark.parametrize("hostile", one_in(5, HELD_BY), ids=lambda each: each.name)
@pytest.mark.parametrize("options", ["-g -vvw -p TERM -k 5 -t 1", "-S -W --log-format json"])
def test_init_keeps_its_contract_under_every_hostile_start_with_options(
    program: list[str], place: str, options: str, hostile: Start
) -> None:
    result = live([*program, *options.split(), "--"], hostile, place)
    assert result.outcome == HELD, result
    assert "internal error" not in result.detail
