"""Cache lines that every start reads of the snapshot: build/speed/prefetch.c asks for all of them at once.

They are noted by section and by block, as parts of 16 bytes, because both lie elsewhere after the next change.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from freezing.elf import PAGE

PART = 16  # bytes
LINE = 64  # bytes, as on every x86-64
PAGES = 64  # so many, from pyinit_hot on, have a mask: all that starts use
MASKS = "pyinit_lines"  # the symbol of the masks in the file, a bit for each line
BEGIN = "pyinit_hot"
NONE = "-"


def note(offsets: Iterable[int]) -> str:
    """Offsets in bytes as a word of an order: the parts they are in, hexadecimal, as `0-2,5`; `-` for none."""
    spans: list[list[int]] = []
    for part in sorted({offset // PART for offset in offsets}):
        if spans and spans[-1][1] == part - 1:
            spans[-1][1] = part
        else:
            spans.append([part, part])
    return ",".join(f"{first:x}" if first == last else f"{first:x}-{last:x}" for first, last in spans) or NONE


def offsets(word: str) -> Iterator[int]:
    """The first byte of each part."""
    for span in word.split(",") if word != NONE else []:
        first, _, last = span.partition("-")
        for part in range(int(first, 16), int(last or first, 16) + 1):
            yield part * PART


def masks(begin: int, addresses: Iterable[int]) -> bytes:
    """What stands at MASKS, for these addresses; `begin` is that of the first page."""
    pages = [0] * PAGES
    for address in addresses:
        page, offset = divmod(address - begin, PAGE)
        if 0 <= page < PAGES:
            pages[page] |= 1 << offset // LINE
    return struct.pack(f"<{PAGES}Q", *pages)
