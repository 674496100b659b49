"""The storms notice what an init does wrong: one that is broken on purpose, in each of its ways."""

from __future__ import annotations

import pytest

from tests.long.model.setup import Setup
from tests.long.storms.storm import GROWTH, Storm, orphans, real_time_signals, standard_signals, through
from tests.support.commands import payload


@pytest.mark.parametrize(
    ("defect", "storm", "seen"),
    [
        ("drops", standard_signals, "lost"),
        ("drops", real_time_signals, "lost"),
        ("keeps", orphans, "left"),
        ("grows", orphans, "growth"),
    ],
)
def test_a_storm_sees_what_a_careless_init_does_wrong(defect: str, storm: Storm, seen: str) -> None:
    result = through(Setup(payload("careless", defect), "pid1"), storm, 200)
    found = {"lost": result.lost, "left": result.left, "growth": result.growth > GROWTH}
    assert found.pop(seen)
    assert not any(found.values())
