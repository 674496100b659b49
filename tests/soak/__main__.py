"""The soak: inits live lives of chance, several at once, and a model says what must be true; 1 if it was not."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests import ending, marks
from tests.commands import PLACES, PROGRAMS, compiled
from tests.soak.lives import Figures, numbered, until


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", default=str(secrets.randbelow(10**9)), help="the plan of an earlier run")
    parser.add_argument("--life", help="only this one: KIND/PLACE/NUMBER, as a failure names it")
    parser.add_argument("--document", type=Path, help="put the line of figures into this file")
    asked = parser.parse_args()
    print(f"soak: seed {asked.seed}", flush=True)
    compiled("actor")
    ending.adopt()
    if asked.life:
        kind, place, number = asked.life.split("/")
        results = [numbered(kind, place, asked.seed, int(number))]
    else:
        results = in_parallel(time.monotonic() + asked.minutes * 60, asked.seed)
    failures = [failure for _, failure in results if failure]
    for failure in failures:
        print(failure)
    total = sum((figures for figures, _ in results), Figures())
    line = f"soak: {asked.minutes:g} min, seed {asked.seed}: {total}; broken: {len(failures)}"
    print(line)
    if asked.document:
        marks.replace(asked.document, "soak", f"\n> {line}\n\n")
    return 1 if failures else 0


def in_parallel(deadline: float, seed: str) -> list[tuple[Figures, str]]:
    """Let both kinds live in both places at the same time."""
    lines = [(kind, place) for kind in PROGRAMS for place in PLACES]
    with ProcessPoolExecutor(len(lines), initializer=ending.adopt) as pool:
        running = [pool.submit(until, deadline, kind, place, seed) for kind, place in lines]
        return [each.result() for each in running]


if __name__ == "__main__":
    sys.exit(main())
