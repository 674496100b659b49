"""Sections of the file that runs use, in the order in which the linker is to lay them out: profile/sections.order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from freezing import linkmap
from freezing.linkmap import Section
from freezing.profiling.access_trace import Used
from freezing.profiling.address_index import Places

# What they are for: build/dump/snapshot.ld has a place for each.
CODE, CONSTANTS, WRITTEN, DATA = KINDS = ("code", "constants", "written", "data")
FIXED = "fixed"  # that has a place by its name
PREFIXES = {".text": CODE, ".rodata": CONSTANTS, ".data": DATA, ".bss": DATA, ".PyRuntime": FIXED}
# Libc's data is no part of the snapshot; and what is large would push the others apart.
PLACED = re.compile(r"(?:crt1\.o|start\.o|libc\.a:\S+|libgcc\.a:\S+) \.(?:data|bss)|\S+ \.data\._Py_global_objects$")
HEAD = """\
# The sections that an init uses, in the order of their first use: kind, object file and section. Written by
# `make order`, read by the linker.
"""
LISTED = r"(?m)^{kind} (\S+) (\S+)$"


def order(sections: Iterable[tuple[int, int, Section]], used: Used) -> str:
    """The text of build/profile/sections.order, from what the linker has made."""
    places = Places(sections)
    kinds: dict[Section, str] = {}
    for addresses, data in ((used.code, DATA), (used.written, WRITTEN), (used.read, DATA)):
        for address in addresses:
            if section := places.at(address):
                kinds.setdefault(section, _kind(section).replace(DATA, data))
    return HEAD + "".join(f"{kind} {' '.join(section)}\n" for section, kind in kinds.items() if kind)


def _kind(section: Section) -> str:
    """Empty for what is never to be laid out: the arena."""
    if PLACED.match(" ".join(section)):
        return FIXED
    return next((kind for prefix, kind in PREFIXES.items() if section[1].startswith(prefix)), "")


def write(text: str, folder: Path) -> None:
    """The linker script's parts, one for each kind."""
    for kind in KINDS:
        listed = re.findall(LISTED.format(kind=kind), text)
        (folder / f"{kind}.ld").write_text("".join(f"{linkmap.pattern(section)}\n" for section in listed))
