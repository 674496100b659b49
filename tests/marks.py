"""A part of a document that a program writes: what stands between two marks."""

from __future__ import annotations

from pathlib import Path


def replace(document: Path, name: str, text: str) -> None:
    """Put a text between the marks of this name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, _, rest = document.read_text().partition(begin)
    _, there, after = rest.partition(end)
    assert there, f"{document} has no {begin.strip()} and {end.strip()}"
    document.write_text(before + begin + text + end + after)
