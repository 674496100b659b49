"""Which inits are tried, and every fault that a life of theirs has room for."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from tests.long.faults import calls
from tests.long.faults.scenario import Candidate, Fault
from tests.peers.commands import AS_PID1, SUBREAPER
from tests.support.commands import PROGRAMS
from tests.support.outcomes import HELD
from tests.support.polling import PATIENCE_WITH_PEERS

# How often a trace is taken: how many deaths one SIGCHLD stands for is chance, and with it the number of calls.
TRACES = 3
# These are an answer for the moment: the caller is to try again, and would for ever.
PASSING = frozenset({"EINTR", "EAGAIN"})


def ours(kind: str, place: str, options: str = "") -> Candidate:
    """pyinit, frozen or from source, as PID 1 or as a subreaper; with `options` it may talk."""
    # From source gate.py is the program.
    words = [] if kind == "source" else PROGRAMS[kind]
    name = " ".join(["pyinit", *options.split()])
    words = [*words, *options.split(), "--"]
    return Candidate(f"{name}, {kind}", words, place, kind == "source", talks=bool(options))


def peers() -> list[Candidate]:
    """Debian's tini, dumb-init and catatonit, as far as they are installed, wherever they can be init."""
    return [
        Candidate(name, [program, *options], place, patience=PATIENCE_WITH_PEERS)
        for place, table in (("pid1", AS_PID1), ("subreaper", SUBREAPER))
        for name, options in table.items()
        if (program := shutil.which(name))
    ]


def most_calls(candidate: Candidate) -> dict[str, tuple[int, int]]:
    """For each call that the init makes, its first and last number; AssertionError if a life fails."""
    found: dict[str, tuple[int, int]] = {}
    for _ in range(TRACES):
        result = candidate.run()
        assert result.outcome == HELD, f"{candidate.name} without a fault: {result.outcome}: {result.detail}"
        for each in calls.made(result.trace, candidate.interpreted):
            first, last = found.get(each.name, (each.nth, each.nth))
            found[each.name] = min(first, each.nth), max(last, each.nth)
    return found


def faults(made: dict[str, tuple[int, int]]) -> list[Fault]:
    """Every fault: each call failing with each error, once and from its first time on; TERM at each call."""
    planned = []
    for name, (first, last) in made.items():
        errors = calls.errors(name)
        for nth in range(first, last + 1):
            planned += [Fault(name, nth, error) for error in errors]
            if name not in calls.NEVER_FAIL:
                planned.append(Fault(name, nth, "TERM"))
        planned += [Fault(name, first, error, always=True) for error in errors if error not in PASSING]
    return planned


def quick(planned: Sequence[Fault]) -> list[Fault]:
    """A few of these: of each call the first one forbidden, the last one failing and with TERM, and all."""
    chosen = []
    for name in dict.fromkeys(each.call for each in planned):
        mine = [each for each in planned if each.call == name]
        once = [each for each in mine if not each.is_signal and not each.always]
        chosen += [*once[:1], *once[-1:]]
        chosen += [each for each in mine if each.is_signal][-1:]
        chosen += [each for each in mine if each.always and each.error == "ENOSYS"]
    return list(dict.fromkeys(chosen))
