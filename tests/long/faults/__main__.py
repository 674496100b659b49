"""Tries every fault on every init and prints what came of it; --document FILE puts the tables into a document."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.long.faults import plan, tables
from tests.long.faults.scenario import Candidate, Fault, Result
from tests.support import arguments, cleanup
from tests.support.commands import PROGRAMS, compiled
from tests.support.outcomes import BROKEN

# pyinit makes many more calls then: it writes, and looks into /proc.
TALKING = "-vvw"
# Most of a life is waiting for the other side.
WORKERS = 4 * (os.cpu_count() or 1)


def main() -> int:
    """Run what the command line asks for; 1 if pyinit has broken its word."""
    parser = arguments.parser("faults", __doc__, "replace the tables in this file")
    arguments.add_only(parser)
    parser.add_argument("--quick", action="store_true", help="a few faults of each call alone")
    parser.add_argument("--peers", action="store_true", help="tell what the peers broke, too, life by life")
    options = parser.parse_args()
    begun = time.monotonic()
    candidates = [
        plan.ours(kind, place, words)
        for kind, words in (*((kind, "") for kind in PROGRAMS), ("frozen", TALKING))
        for place in ("pid1", "subreaper")
    ]
    candidates = arguments.chosen(parser, options.only, [*candidates, *plan.peers()], lambda each: each.name)
    for name in ("gate", "steps"):
        compiled(name)
    collected = []
    broken = 0
    with ProcessPoolExecutor(WORKERS, initializer=cleanup.adopt) as pool:
        for candidate in candidates:
            results = run_all(pool, candidate, options.quick)
            collected.append((candidate, results))
            bad = [each for each in results if each.outcome in BROKEN]
            broken += len(bad) if candidate.is_ours else 0
            print(tables.summary(candidate, results), flush=True)
            for each in bad if candidate.is_ours or options.peers else ():
                print(f"    {each.fault}: {each.outcome}: {each.detail}")
    print(f"{time.monotonic() - begun:.0f} s; broken by pyinit: {broken}")
    if options.document:
        tables.replace(options.document, collected)
    return 1 if broken else 0


def run_all(pool: ProcessPoolExecutor, candidate: Candidate, quick: bool) -> list[Result]:
    """The result of every fault that the init's life has room for, or of a few."""
    planned = pool.submit(planning, candidate).result()
    if quick:
        planned = plan.quick(planned)
    return list(pool.map(partial(live, candidate), planned))


def planning(candidate: Candidate) -> Sequence[Fault]:
    """Look which calls there are, and plan their faults."""
    return plan.faults(plan.most_calls(candidate))


def live(candidate: Candidate, fault: Fault) -> Result:
    """Run one life; without its trace, which is long."""
    return candidate.run(fault)._replace(trace="")


if __name__ == "__main__":
    sys.exit(main())
