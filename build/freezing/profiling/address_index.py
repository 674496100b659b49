"""What lies at an address."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import Generic, TypeVar

Name = TypeVar("Name")


class Places(Generic[Name]):
    """Looks up names by address: of sections, of blocks of the heap."""

    def __init__(self, places: Iterable[tuple[int, int, Name]]) -> None:
        """From (address, size in bytes, name)."""
        self._places = sorted(places)
        self._starts = [start for start, _, _ in self._places]

    def at(self, address: int) -> Name | None:
        """The name of what an address belongs to."""
        place = bisect.bisect_right(self._starts, address) - 1
        if place < 0:
            return None
        start, size, name = self._places[place]
        return name if address < start + size else None
