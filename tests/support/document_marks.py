"""A part of a document that a program writes: what stands between two marks."""

from __future__ import annotations

from pathlib import Path


def replace(document: Path, name: str, text: str) -> None:
    """Put a text between the marks of this name."""
    before, _, after = _parts(document, name)
    document.write_text(before + text + after)


def between(document: Path, name: str) -> str:
    """Return the text between the marks of this name."""
    return _parts(document, name)[1]


def _parts(document: Path, name: str) -> tuple[str, str, str]:
    """Return the document up to the first mark and with it, the text between, and the rest from the second mark on."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, _, rest = document.read_text().partition(begin)
    there, found, after = rest.partition(end)
    assert found, f"{document} has no {begin.strip()} and {end.strip()}"
    return before + begin, there, end + after
