"""Where the linker has put each section of each object file: its map (ld -Map)."""

from __future__ import annotations

import re

Section = tuple[str, str]  # the object file, as ARCHIVE:MEMBER if it is in an archive, and the section's name

BEGIN = "Linker script and memory map"
# A name that is long has a line of its own.
PLACE = re.compile(r"(?m)^ (\.\S+|COMMON)\s+0x([0-9a-f]{16})\s+0x([0-9a-f]+) (.*)$")
MEMBER = re.compile(r"(.*)\((.*)\)")


def sections(text: str) -> list[tuple[int, int, Section]]:
    """Address, size in bytes and name of every section that is in the linked file."""
    found = []
    for name, address, size, path in PLACE.findall(text[text.index(BEGIN) :]):
        file = MEMBER.sub(r"\1:\2", path.rpartition("/")[2])
        if int(size, 16):
            found.append((int(address, 16), int(size, 16), (file, name)))
    return found


def pattern(section: Section) -> str:
    """What names this section in a linker script."""
    file, name = section
    return f"*/{file}({name})"
