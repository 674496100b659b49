"""Starts every init as PID 1 in every hostile way, prints a table; --document FILE puts it there."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence

from tests.long.hostile.changes import CHANGES
from tests.long.hostile.contract import CHANGED, SEPARATOR, Result, Start, live
from tests.long.hostile.refusals import DISPENSABLE, ERRORS, NEEDED, refused
from tests.long.hostile.starts import STARTS
from tests.peers.commands import AS_PID1
from tests.support import arguments, document_marks, inherited_state
from tests.support.commands import PROGRAMS
from tests.support.outcomes import ENDED, HELD, SILENT, WRONG
from tests.support.polling import PATIENCE, PATIENCE_WITH_PEERS

MARK = "hostile starts"
OURS = "pyinit"
INITS: Mapping[str, Sequence[str]] = {
    OURS: [*PROGRAMS["frozen"], "--"],
    **{name: [name, *options] for name, options in AS_PID1.items()},
}
# Without these the payload of this table fails as well.
PAYLOADS_OWN = {("rt_sigaction",)}


def main() -> int:
    """Run what the command line asks for; 1 if pyinit has broken its word."""
    parser = arguments.parser("hostile", __doc__, "replace the table in this file")
    arguments.add_only(parser)
    options = parser.parse_args()
    inits = arguments.chosen(parser, options.only, INITS)
    inherited_state.prepare()
    lines = ["| start | " + " | ".join(inits) + " |", "|---" * (len(inits) + 1) + "|"]
    broken = 0
    for name, results in rows(inits):
        broken += sum(each.outcome not in (HELD, ENDED) for each in results.get(OURS, {}).values())
        lines.append(f"| {name} | " + " | ".join(cell(each) for each in results.values()) + " |")
        print(lines[-1], flush=True)
    print(f"broken by pyinit: {broken}")
    if options.document:
        document_marks.replace(options.document, MARK, "\n" + "\n".join(lines) + "\n\n")
    return 1 if broken else 0


def rows(inits: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Mapping[str, Result]]]]:
    """Each start's name and, for each init, how it went; under a filter, for each of its answers."""
    for start in STARTS:
        yield start.name, {name: {"": life(name, start)} for name in inits}
    for calls in (each for each in (*DISPENSABLE, *NEEDED) if each not in PAYLOADS_OWN):
        results = {
            name: {errno.errorcode[error]: life(name, refused(calls, error)) for error in ERRORS} for name in inits
        }
        yield f"refused: {', '.join(calls)}", results


def life(name: str, start: Start) -> Result:
    """Live one life with an init."""
    sets_mask = any(os.fsdecode(word).startswith("block=") for word in start.prepare)
    # Said once, it need not be in every cell.
    changed = {} if sets_mask else CHANGES.get(name, {})
    return live(INITS[name], start, changed=changed, patience=PATIENCE if name == OURS else PATIENCE_WITH_PEERS)


def cell(results: Mapping[str, Result]) -> str:
    """What a cell of the table says; once, if it is the same for every answer of a filter."""
    words = {answer: outcome(result) for answer, result in results.items()}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return "; ".join(f"{answer}: {each}" for answer, each in words.items())


def outcome(result: Result) -> str:
    """How it went, in a few words."""
    if result.outcome == CHANGED:
        names = [part.partition(":")[0] for part in result.detail.split(SEPARATOR)]
        return f"payload gets other: {', '.join(names)}"
    if result.code is None or result.outcome == HELD:
        return result.outcome
    if result.code < 0:
        return f"killed by {signal.Signals(-result.code).name[3:]}"
    if result.outcome in (ENDED, SILENT, WRONG):
        return f"ends with {result.code}{'' if result.detail else ', says nothing'}"
    return result.outcome


if __name__ == "__main__":
    sys.exit(main())
