"""Times of a stop during floods of signals, for every init; 1 if pyinit has taken longer than it promises."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.long.faults import plan
from tests.long.floods.flood import FLOODS, SENDERS, Flood, Times, through
from tests.support import arguments, cleanup, document_marks
from tests.support.commands import PROGRAMS
from tests.support.polling import NotInTimeError

PROMISE = 0.5  # seconds
PEERS_PATIENCE = 10.0
MILLISECONDS = 1000
OURS = "pyinit"
HEAD = f"""
| flood | init |{"".join(f" TERM, {each} |" for each in SENDERS)}{"".join(f" end, {each} |" for each in SENDERS)}
|---|---|{"---|" * 2 * len(SENDERS)}
"""


def main() -> int:
    """Run what the command line asks for."""
    parser = arguments.parser("floods", __doc__, "replace the table in this file")
    arguments.add_only(parser)
    parser.add_argument("--times", type=int, default=5, help="lives for each figure, of which the worst counts")
    options = parser.parse_args()
    cleanup.adopt()
    peers = {each.name: each.words for each in plan.peers() if each.place == "pid1"}
    inits = {f"{OURS}, {kind}": [*words, "--"] for kind, words in PROGRAMS.items()} | peers
    names = arguments.chosen(parser, options.only, inits)
    rows: list[str] = []
    late = 0
    for flood in FLOODS:
        for name in names:
            found = [worst(inits[name], flood, senders, options.times) for senders in SENDERS]
            rows.append(row(flood, name, found))
            print(rows[-1], flush=True)
            late += name.startswith(OURS) and any(each is None or max(each) > PROMISE for each in found)
    print(f"floods in which pyinit took longer than {PROMISE} s: {late}")
    if options.document:
        document_marks.replace(options.document, "floods", HEAD + "".join(f"{each}\n" for each in rows) + "\n")
    return 1 if late else 0


def worst(program: Sequence[str], flood: Flood, senders: int, times: int) -> Times | None:
    """Return the longest times of several lives; None if one would not end."""
    try:
        lives = [through(program, "pid1", flood, senders, PEERS_PATIENCE) for _ in range(times)]
    except (NotInTimeError, AssertionError):
        return None
    return Times(max(each.term for each in lives), max(each.end for each in lives))


def row(flood: Flood, name: str, found: list[Times | None]) -> str:
    """Return a line of the table."""
    terms = [f"{each.term * MILLISECONDS:.0f}" if each else "never" for each in found]
    ends = [f"{each.end * MILLISECONDS:.0f}" if each else "never" for each in found]
    return f"| {' | '.join([flood.name, name, *terms, *ends])} |"


if __name__ == "__main__":
    sys.exit(main())
