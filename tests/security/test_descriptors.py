"""Init keeps no descriptor that it was given, where close_range(2) is refused as well."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.long.hostile.refusals import ERRORS, refused
from tests.security.lives import traced
from tests.support import procfs
from tests.support.commands import PLACES, WITHOUT_PROC, payload
from tests.support.requirements import absent
from tests.support.types import Start

MOST_CALLS = 5000  # from source an interpreter closes what it imports


@pytest.mark.parametrize("error", ERRORS)
def test_no_descriptor_above_a_lowered_limit_is_kept(start: Start, program: list[str], place: str, error: int) -> None:
    """The limit says nothing about those that were opened before; the payload gets them all."""
    init = start(
        *("--", *payload("receive")),
        program=[*refused(["close_range"], error).filter, *program],
        place=PLACES[place],
        prepare=["open=900", f"limit={resource.RLIMIT_NOFILE}:256"],
    )
    init.expect("got is ready\n")
    init.idle()
    assert "900" in map(str, procfs.descriptors(init.payload))
    assert [number for number in procfs.descriptors(init.pid) if int(number) > 2] == []


@pytest.mark.parametrize("error", ERRORS)
def test_a_high_limit_costs_no_call_for_each_descriptor(program: list[str], tmp_path: Path, error: int) -> None:
    highest = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 1_000_000)
    if highest < 2 * MOST_CALLS:
        absent(f"the limit is {highest} here")
    around = ["prlimit", f"--nofile={highest}:{highest}", *refused(["close_range"], error).filter]
    found = traced(program, ["--", "true"], tmp_path, calls="close,execve,%process", around=around)
    assert found.done.returncode == 0
    assert sum(call.name == "close" for call in found.init) < MOST_CALLS


def test_without_proc_all_below_the_limit_are_closed(start: Start, program: list[str]) -> None:
    init = start(
        *("--", *payload("receive")),
        program=[*refused(["close_range"], ERRORS[0]).filter, *program],
        place=WITHOUT_PROC,
        prepare=[f"limit={resource.RLIMIT_NOFILE}:1000", "open=900"],
    )
    init.expect("got is ready\n")
    init.idle()
    assert [number for number in procfs.descriptors(init.pid) if int(number) > 2] == []
