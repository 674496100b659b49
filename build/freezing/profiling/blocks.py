"""Blocks of the frozen heap that runs use: profile/blocks.order.

build/layout/heap_layout.c says how a block is named.
"""

from __future__ import annotations

import re
import struct

from freezing.profiling.access_trace import Used
from freezing.profiling.address_index import Places

Block = tuple[int, int, int]  # address, size in bytes, name

RECORD = struct.Struct("<III")  # struct block in build/dump/snapshot.h
ENTRY = struct.Struct("<IIII")  # struct entry in build/layout/heap_layout.c
ALIGNMENT = 16
HEADER = 8  # bytes in front of each block (build/dump/allocator.c)
WINDOW = 64 * 1024  # what the kernel maps around a page that is read: a block of that size gains nothing by neighbours
KINDS = WRITTEN, READ = ("written", "read")  # each kind has a place of its own (build/dump/snapshot.ld)
HEAD = """\
# The heap's blocks that an init writes to, and those that it only reads, in the order of their first use: name, and
# bytes of all that have it. Written by `make order`, read by build mode.
"""
LISTED = r"(?m)^{kind} ([0-9a-f]{{8}}) (\d+)$"


def read(table: bytes) -> list[Block]:
    """What malloc had given when the snapshot was written: the file BLOCKS of build mode."""
    return list(RECORD.iter_unpack(table))


def order(blocks: list[Block], used: Used) -> str:
    """The text of build/profile/blocks.order."""
    places = Places((address, size, name) for address, size, name in blocks if size < WINDOW)
    bytes_of: dict[int, int] = {}
    for _, size, name in blocks:
        bytes_of[name] = bytes_of.get(name, 0) + HEADER + size
    kinds: dict[int, str] = {}
    for addresses, kind in ((used.written, WRITTEN), (used.read, READ)):
        for address in addresses:
            if (found := places.at(address)) is not None:
                kinds.setdefault(found, kind)
    return HEAD + "".join(f"{kind} {name:08x} {bytes_of[name]}\n" for name, kind in kinds.items())


def sizes(text: str, kind: str) -> dict[int, int]:
    """Names and bytes of one kind in build/profile/blocks.order."""
    return {int(name, 16): int(size) for name, size in re.findall(LISTED.format(kind=kind), text)}


def area(text: str, kind: str) -> int:
    """Return the bytes of the area for one kind, with those in front of the first block: its header, and alignment."""
    return sum(sizes(text, kind).values()) + ALIGNMENT


def packed(text: str) -> bytes:
    """build/profile/blocks.order as build mode reads it: struct entry in build/layout/heap_layout.c."""
    entries = []
    for kind in KINDS:
        end = 0
        for name, size in sizes(text, kind).items():
            entries.append((name, kind == WRITTEN, end, end + size))
            end += size
    return b"".join(ENTRY.pack(*entry) for entry in sorted(entries))
