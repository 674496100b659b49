"""Tries every fault on every init and prints what came of it; --document FILE puts the tables into a document."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests import ending
from tests.commands import PROGRAMS, compiled
from tests.faults import plan, tables
from tests.faults.scenario import Candidate, Fault, Result
from tests.outcomes import BROKEN

# pyinit makes many more calls then: it writes, and looks into /proc.
TALKING = "-vvw"
# Most of a life is waiting for the other side.
WORKERS = 4 * (os.cpu_count() or 1)


def main() -> int:
    """Run what the command line asks for; 1 if pyinit has broken its word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="inits whose name has this in it")
    parser.add_argument("--quick", action="store_true", help="a few faults of each call alone")
    parser.add_argument("--peers", action="store_true", help="tell what the peers broke, too, life by life")
    parser.add_argument("--document", type=Path, help="replace the tables in this file")
    asked = parser.parse_args()
    begun = time.monotonic()
    candidates = [
        plan.ours(kind, place, options)
        for kind, options in (*((kind, "") for kind in PROGRAMS), ("frozen", TALKING))
        for place in ("pid1", "subreaper")
    ]
    candidates = [each for each in (*candidates, *plan.peers()) if asked.only in each.name]
    for name in ("gate", "steps"):
        compiled(name)
    collected = []
    broken = 0
    with ProcessPoolExecutor(WORKERS, initializer=ending.adopt) as pool:
        for candidate in candidates:
            results = run_all(pool, candidate, asked.quick)
            collected.append((candidate, results))
            bad = [each for each in results if each.outcome in BROKEN]
            broken += len(bad) if candidate.is_ours else 0
            print(tables.summary(candidate, results), flush=True)
            for each in bad if candidate.is_ours or asked.peers else ():
                print(f"    {each.fault}: {each.outcome}: {each.detail}")
    print(f"{time.monotonic() - begun:.0f} s; broken by pyinit: {broken}")
    if asked.document:
        tables.replace(asked.document, collected)
    return 1 if broken else 0


def run_all(pool: ProcessPoolExecutor, candidate: Candidate, quick: bool) -> list[Result]:
    """Return the result of every fault that the init's life has room for, or of a few."""
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
