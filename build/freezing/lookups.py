"""Attributes that runs look up in types: build/lookups.order has them, build/boot/lookups.c puts them into the cache.

They are seen by a tracer, in a process that stands at the first instruction of CPython's _PyType_Lookup(type, name).
"""

from __future__ import annotations

import os
import re
import struct
from collections import Counter
from collections.abc import Iterable

Lookup = tuple[str, str]  # a type's name, as in its tp_name, and an attribute's

FUNCTION = "_PyType_Lookup"
POINTER = struct.Struct("<Q")
TYPE_NAME = 24  # offset of tp_name in PyTypeObject
LENGTH, CHARACTERS = 16, 48  # offsets of both in PyASCIIObject
LONGEST = 100  # characters, as everywhere in CPython's cache; and of a type's name here
HEAD = """\
# What an init looks up in types: type and attribute, the rarest first. Written by `make order`, read by build mode.
"""


def seen(pid: int, type_at: int, name_at: int) -> Lookup:
    """The names behind the two arguments that a traced process has put into registers."""
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        (type_name_at,) = POINTER.unpack(os.pread(memory, POINTER.size, type_at + TYPE_NAME))
        (length,) = POINTER.unpack(os.pread(memory, POINTER.size, name_at + LENGTH))
        type_name = os.pread(memory, LONGEST, type_name_at).partition(b"\0")[0]
        name = os.pread(memory, min(length, LONGEST), name_at + CHARACTERS)
    finally:
        os.close(memory)
    return type_name.decode(), name.decode()


def order(seen: Iterable[Lookup]) -> str:
    """The text of build/lookups.order. Of two that have the same place in the cache, the later line stays there."""
    uses = Counter(seen)
    return HEAD + "".join(f"{kind} {name}\n" for kind, name in sorted(uses, key=lambda each: (uses[each], each)))


def packed(text: str) -> bytes:
    """build/lookups.order as build mode reads it: C strings, by twos."""
    return "".join(f"{kind}\0{name}\0" for kind, name in re.findall(r"(?m)^([^\s#]+) (\S+)$", text)).encode()
