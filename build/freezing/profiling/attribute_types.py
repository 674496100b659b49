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
SNAPSHOT = "pyinit_snapshot"  # the symbol of what has the one PyThreadState
HEAD = """\
# The attributes that an init reads and writes: file, function, attribute, and its object's type. Written by
# `make order`, read by build mode.
"""


def seen(memory: Memory, snapshot_at: int, object_at: int, name_at: int) -> Site | None:
    """Return the site in the innermost Python function, or None if no function has been called yet."""
    thread = memory.pointer(snapshot_at, "Snapshot.thread")
    frame = memory.pointer(memory.pointer(thread, "PyThreadState.cframe"), "_PyCFrame.current_frame")
    if frame == 0:
        return None
    code = memory.pointer(frame, "_PyInterpreterFrame.f_code")
    members = ("PyCodeObject.co_filename", "PyCodeObject.co_qualname")
    file, function = (memory.string(memory.pointer(code, member)) for member in members)
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
