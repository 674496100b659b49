"""The parts of the file that it works without: slower, or with more memory.

`make dist WITHOUT=NAME,...` leaves some out; `make ablation` measures what each of them saves.
"""

from __future__ import annotations

from collections.abc import Collection

from freezing.snapshot import Orders
from freezing.steps import BuildError

# Parts that are absent if their list of build/profile/ is taken as empty.
LISTS = {"sections": "sections", "heap_layout": "blocks"}
# Parts that are absent if the C file of that name is not linked.
FILES = ("lazy_fields", "specialize")
PARTS = (*LISTS, *FILES)


def parse(text: str) -> frozenset[str]:
    """Return the parts in a list with commas. Raises BuildError if one is unknown."""
    names = frozenset(text.split(",")) - {""}
    if unknown := names - {*PARTS}:
        raise BuildError(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return names


def without(absent: Collection[str], orders: Orders) -> Orders:
    """Return the orders with those of absent parts empty."""
    return orders._replace(**{LISTS[name]: "" for name in absent if name in LISTS})
