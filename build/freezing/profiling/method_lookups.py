"""Attributes that runs look up in types: profile/lookups.order.

build/speed/method_cache.c puts them into the method cache.

They are seen by a tracer, in a process that stands at the first instruction of CPython's _PyType_Lookup(type, name).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from freezing.profiling.memory import Memory

Lookup = tuple[str, str]  # a type's name, as in its tp_name, and an attribute's

FUNCTION = "_PyType_Lookup"
HEAD = """\
# What an init looks up in types: type and attribute, the rarest first. Written by `make order`, read by build mode.
"""


def seen(memory: Memory, type_at: int, name_at: int) -> Lookup:
    """The names behind the function's two arguments."""
    return memory.type_name(type_at), memory.string(name_at)


def order(seen: Iterable[Lookup]) -> str:
    """The text of profile/lookups.order. Of two that have the same place in the cache, the later line stays there."""
    uses = Counter(seen)
    return HEAD + "".join(f"{kind} {name}\n" for kind, name in sorted(uses, key=lambda each: (uses[each], each)))


def packed(text: str) -> bytes:
    """build/profile/lookups.order as build mode reads it: C strings, by twos."""
    return "".join(f"{kind}\0{name}\0" for kind, name in re.findall(r"(?m)^([^\s#]+) (\S+)$", text)).encode()
