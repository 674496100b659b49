"""Full storms over every init, a line for each; 1 if pyinit has lost something, or has grown."""

from __future__ import annotations

import sys
import time

from tests.long.faults import plan
from tests.long.model.setup import Setup
from tests.long.storms.storm import (
    GROWTH,
    Result,
    Storm,
    everything,
    orphans,
    real_time_signals,
    standard_signals,
    through,
)
from tests.support import arguments, cleanup, document_marks
from tests.support.commands import PROGRAMS

SHARE = 0.1  # so much of a storm comes before it
OURS = "pyinit"
HEAD = """
| storm | init | orphans | signals arrived | lost | zombies | RSS grew by, KB | processor time each, µs |
|---|---|---|---|---|---|---|---|
"""


def main() -> int:
    """Run what the command line asks for."""
    parser = arguments.parser("storms", __doc__, "replace the table in this file")
    arguments.add_only(parser)
    parser.add_argument("--orphans", type=int, default=100_000)
    parser.add_argument("--signals", type=int, default=1_000_000)
    options = parser.parse_args()
    cleanup.adopt()
    storms = [
        (orphans, options.orphans),
        (standard_signals, options.signals),
        (real_time_signals, options.signals),
        (everything, options.signals // 5),
    ]
    begun = time.monotonic()
    # As PID 1: elsewhere some of the signals end tini and catatonit.
    peers = {each.name: each.words for each in plan.peers() if each.place == "pid1"}
    inits = {f"{OURS}, {kind}": words for kind, words in PROGRAMS.items()} | peers
    names = arguments.chosen(parser, options.only, inits)
    rows: list[str] = []
    failed = 0
    for storm, count in storms:
        for name in names:
            result = through(Setup(inits[name], "pid1"), storm, count, SHARE)
            rows.append(row(name, storm, count, result))
            print(rows[-1], flush=True)
            failed += name.startswith(OURS) and not held(result)
    print(f"{time.monotonic() - begun:.0f} s; storms that pyinit did not hold: {failed}")
    if options.document:
        document_marks.replace(options.document, "storms", HEAD + "".join(f"{each}\n" for each in rows) + "\n")
    return 1 if failed else 0


def held(result: Result) -> bool:
    """Whether nothing was lost, and nothing is left."""
    return not result.lost and not result.left and result.growth <= GROWTH


def row(name: str, storm: Storm, count: int, result: Result) -> str:
    """A line of the table."""
    title = storm.__name__.replace("_", " ")
    arrived = f"{result.arrived:,} of {count:,}" if result.arrived else ""
    lost = result.lost if result.arrived else ""
    cells = [title, name, f"{result.orphans:,}" if result.orphans else "", arrived, lost, result.left]
    return f"| {' | '.join(map(str, [*cells, result.growth, f'{result.each:.1f}']))} |"


if __name__ == "__main__":
    sys.exit(main())
