"""The addresses that traced runs used."""

from __future__ import annotations


class Used:
    """Of `code`, `read` and `written` each, in the order of their first use; and of data `by_starts`, all of it."""

    def __init__(self) -> None:
        self.code: dict[int, None] = {}
        self.read: dict[int, None] = {}
        self.written: dict[int, None] = {}
        self.by_starts: set[int] = set()

    def started(self) -> None:
        """So far there was nothing but what every start does."""
        self.by_starts = {*self.read, *self.written}
