"""The types of the objects whose attributes an instruction reads or writes: profile/sites.order.

build/speed/specialize.c specializes those instructions.

They are seen by a tracer, in a process that stands at the first instruction of one of the functions that CPython calls
where it has not been told: FUNCTION(object, name, ...).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from freezing.profiling.memory import Memory

Site = tuple[str, str, str, str]  # a source file, a function's qualified name, an attribute's, and a type's (tp_name)

FUNCTIONS = ("PyObject_GetAttr", "PyObject_SetAttr", "_PyObject_GetMethod")
THREAD = "pyinit_snapshot"  # its first field points to the one PyThreadState
# Offsets in PyThreadState, _PyCFrame, _PyInterpreterFrame and PyCodeObject.
CFRAME, CURRENT_FRAME, CODE, FILE, FUNCTION = 56, 8, 32, 112, 128
HEAD = """\
# The attributes that an init reads and writes: file, function, attribute, and its object's type. Written by
# `make order`, read by build mode.
"""


def seen(memory: Memory, thread_at: int, object_at: int, name_at: int) -> Site | None:
    """The site that the innermost Python function stands at, None if there is none yet."""
    frame = memory.pointer(memory.pointer(memory.pointer(thread_at) + CFRAME) + CURRENT_FRAME)
    if frame == 0:
        return None
    code = memory.pointer(frame + CODE)
    file, function = (memory.string(memory.pointer(code + offset)) for offset in (FILE, FUNCTION))
    return file, function, memory.string(name_at), memory.type_of(object_at)


def order(seen: Iterable[Site]) -> str:
    """The text of profile/sites.order: for each attribute that a function uses the type that it has most often."""
    types = {site[:3]: site for site, _ in reversed(Counter(seen).most_common())}
    return HEAD + "".join(" ".join(site) + "\n" for site in sorted(types.values()))


def packed(text: str) -> bytes:
    """build/profile/sites.order as build mode reads it: C strings, by fours."""
    return "".join(
        "".join(f"{word}\0" for word in line) for line in re.findall(r"(?m)^([^\s#]+) (\S+) (\S+) (\S+)$", text)
    ).encode()
