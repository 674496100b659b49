"""Blocks of the frozen heap: which ones runs use is in build/blocks.order; build/boot/order.c says what names them."""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Container

Block = tuple[int, int, int]  # address, size in bytes, name

RECORD = struct.Struct("<III")  # struct block in build/boot/snapshot.h
PAGE = 4096
HEADER = 8  # bytes in front of each block (build/boot/arena.c)
WINDOW = 64 * 1024  # what the kernel maps around a page that is read: a block of that size gains nothing by neighbours
HEAD = """\
# The heap's blocks that an init uses: name, and bytes of all that have it. Written by `make order`, read by build mode.
"""


def read(table: bytes) -> list[Block]:
    """What malloc had given when the snapshot was written: the file BLOCKS of build mode."""
    return list(RECORD.iter_unpack(table))


def order(blocks: list[Block], used: Container[int | None]) -> str:
    """The text of build/blocks.order, where `used` holds names."""
    listed: dict[int, int] = {}
    for _, size, name in blocks:
        if name in used and size < WINDOW:
            listed[name] = listed.get(name, 0) + HEADER + size
    return HEAD + "".join(f"{name:08x} {listed[name]}\n" for name in sorted(listed))


def sizes(text: str) -> dict[int, int]:
    """Names and bytes of build/blocks.order."""
    return {int(name, 16): int(size) for name, size in re.findall(r"(?m)^([0-9a-f]{8}) (\d+)$", text)}


def packed(text: str) -> bytes:
    """build/blocks.order as build mode reads it: struct order in build/boot/order.c."""
    listed = sizes(text)
    whole = sum(listed.values())
    return array("I", [whole + -whole % PAGE, *sorted(listed)]).tobytes()
