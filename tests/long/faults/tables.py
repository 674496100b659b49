"""The results as text: a line for each init, and the tables of docs/reliability.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.long.faults.scenario import Candidate, Result
from tests.support import document_marks
from tests.support.outcomes import BROKEN, ENDED, HELD, UNREACHED

PLACES = {"pid1": "PID 1", "subreaper": "subreaper"}


def summary(candidate: Candidate, results: Sequence[Result]) -> str:
    """One line of figures."""
    counts = Counter(each.outcome for each in results)
    parts = [f"{counts[name]} {name}" for name in (HELD, ENDED, *BROKEN) if counts[name]]
    return f"{candidate.name}, {PLACES[candidate.place]}: {_injected(results)} faults: {', '.join(parts)}"


def replace(document: Path, collected: Sequence[tuple[Candidate, Sequence[Result]]]) -> None:
    """Put the tables between the document's two marks."""
    document_marks.replace(document, "faults", "\n".join(["", *_overview(collected), "", *_by_call(collected), ""]))


def _overview(collected: Sequence[tuple[Candidate, Sequence[Result]]]) -> Iterable[str]:
    yield "| init | where | calls | faults | held | clean end | broken | how |"
    yield "|---|---|---|---|---|---|---|---|"
    for candidate, results in collected:
        counts = Counter(each.outcome for each in results)
        bad = {name: counts[name] for name in BROKEN if counts[name]}
        how = ", ".join(f"{name} {count}" for name, count in bad.items())
        calls = len({(each.fault.call, each.fault.nth) for each in results if each.fault})
        cells = [candidate.name, PLACES[candidate.place], calls, _injected(results)]
        yield _row([*cells, counts[HELD], counts[ENDED], sum(bad.values()), how])


def _by_call(collected: Sequence[tuple[Candidate, Sequence[Result]]]) -> Iterable[str]:
    yield "| pyinit | call | errors | faults | held | clean end | broken | ended cleanly by |"
    yield "|---|---|---|---|---|---|---|---|"
    for kind in dict.fromkeys(candidate.name for candidate, _ in collected if candidate.is_ours):
        mine = [each for candidate, results in collected if candidate.name == kind for each in results]
        for call in dict.fromkeys(each.fault.call for each in mine if each.fault):
            some = [each for each in mine if each.fault and each.fault.call == call and each.outcome != UNREACHED]
            counts = Counter(each.outcome for each in some)
            ends = {_kind_of(each) for each in some if each.outcome == ENDED}
            errors = dict.fromkeys(each.fault.error for each in some if each.fault)
            bad = sum(counts[name] for name in BROKEN)
            cells = [kind, f"`{call}`", ", ".join(errors), len(some), counts[HELD], counts[ENDED], bad]
            yield _row([*cells, ", ".join(sorted(ends))])


def _kind_of(result: Result) -> str:
    assert result.fault
    return f"{result.fault.error}{' always' if result.fault.always else ''}"


def _injected(results: Sequence[Result]) -> int:
    return sum(each.outcome != UNREACHED for each in results)


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
