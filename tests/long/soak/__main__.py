"""The soak: inits live lives of chance, several at once, and a model says what must be true; 1 if it was not."""

from __future__ import annotations

import secrets
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.long.soak.lives import Figures, numbered, until
from tests.support import arguments, cleanup, document_marks
from tests.support.commands import PLACES, PROGRAMS, compiled


def main() -> int:
    """Run what the command line asks for."""
    parser = arguments.parser("soak", __doc__, "put the line of figures into this file")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", default=str(secrets.randbelow(10**9)), help="the plan of an earlier run")
    parser.add_argument("--life", help="only this one: KIND/PLACE/NUMBER, as a failure names it")
    options = parser.parse_args()
    print(f"soak: seed {options.seed}", flush=True)
    compiled("actor")
    cleanup.adopt()
    if options.life:
        kind, place, number = options.life.split("/")
        results = [numbered(kind, place, options.seed, int(number))]
    else:
        results = in_parallel(time.monotonic() + options.minutes * 60, options.seed)
    failures = [failure for _, failure in results if failure]
    for failure in failures:
        print(failure)
    total = sum((figures for figures, _ in results), Figures())
    line = f"soak: {options.minutes:g} min, seed {options.seed}: {total}; broken: {len(failures)}"
    print(line)
    if options.document:
        document_marks.replace(options.document, "soak", f"\n> {line}\n\n")
    return 1 if failures else 0


def in_parallel(deadline: float, seed: str) -> list[tuple[Figures, str]]:
    """Let both kinds live in both places at the same time."""
    lines = [(kind, place) for kind in PROGRAMS for place in PLACES]
    with ProcessPoolExecutor(len(lines), initializer=cleanup.adopt) as pool:
        running = [pool.submit(until, deadline, kind, place, seed) for kind, place in lines]
        return [each.result() for each in running]


if __name__ == "__main__":
    sys.exit(main())
