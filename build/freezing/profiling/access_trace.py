"""The addresses that traced runs used."""

from __future__ import annotations


class Used:
    """Of `code`, `read` and `written` each, in the order of their first use."""

    def __init__(self) -> None:
        self.code: dict[int, None] = {}
        self.read: dict[int, None] = {}
        self.written: dict[int, None] = {}
