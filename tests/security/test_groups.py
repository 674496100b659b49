"""A process group's number is a group's only as long as one of its processes is there, a zombie at least."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import compiled, shell
from tests.support.types import Start

REFUSED = "pyinit: the payload's group gets no TERM, its number may be another's: waitid(2) is refused\n"
WAITID = 247


def test_under_dumb_inits_name_the_group_gets_term_before_its_leader_is_reaped(
    start: Start, named: Callable[[str], str], tmp_path: Path
) -> None:
    """Regression: under dumb-init's name and not as PID 1 the group was signalled after its leader's pid was free."""
    trace = tmp_path / "trace"
    strace = ["strace", "-o", str(trace), "-e", "trace=kill,wait4"]
    outcome = start(*shell("exit 3"), program=[*strace, named("dumb-init")], place="subreaper").wait()
    assert (outcome.code, outcome.stderr) == (3, "")
    calls = re.findall(r"^(?:kill\(-\d+, SIGTERM|wait4\(.*WIFEXITED)", trace.read_text(), re.MULTILINE)
    assert [call.partition("(")[0] for call in calls] == ["kill", "wait4"]


@pytest.mark.parametrize("error", [1, 38], ids=["EPERM", "ENOSYS"])
def test_where_waitid_is_refused_no_group_gets_term_after_its_leader_is_reaped(
    start: Start, named: Callable[[str], str], error: int
) -> None:
    refuse = [str(compiled("refuse")), f"{WAITID}:{error}", "--"]
    outcome = start(*shell("exit 3"), program=[*refuse, named("dumb-init")], place="subreaper").wait()
    assert outcome == (3, "", REFUSED)
