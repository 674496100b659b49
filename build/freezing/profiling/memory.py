"""The memory of a traced process: CPython's objects, and the strings of C."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path

POINTER = struct.Struct("<Q")
LONGEST = 100  # characters of a name; MCACHE_MAX_ATTR_SIZE in CPython's Objects/typeobject.c

Offsets = Mapping[str, int]


def read_offsets(stage: Path) -> Offsets:
    """Return the offsets in bytes, by STRUCT.MEMBER, that offsets.c printed when the stage was linked."""
    lines = stage.with_suffix(".offsets").read_text().splitlines()
    return {name: int(offset) for name, offset in map(str.split, lines)}


class Memory:
    """The memory of a process that a tracer has stopped."""

    def __init__(self, pid: int, offsets: Offsets) -> None:
        self._file = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        self._offsets = offsets

    def close(self) -> None:
        """Close the file; the process runs on, or has ended."""
        os.close(self._file)

    def pointer(self, address: int, member: str) -> int:
        """Return the pointer in a member, as STRUCT.MEMBER, of the struct at this address."""
        content = os.pread(self._file, POINTER.size, address + self._offsets[member])
        value: int = POINTER.unpack(content)[0]
        return value

    def string(self, address: int) -> str:
        """Return the characters of a `str` object that is ASCII."""
        length = min(self.pointer(address, "PyASCIIObject.length"), LONGEST)
        characters = address + self._offsets["PyASCIIObject.characters"]
        return os.pread(self._file, length, characters).decode("ascii", "replace")

    def type_name(self, address: int) -> str:
        """Return the tp_name of a type."""
        name = self.pointer(address, "PyTypeObject.tp_name")
        return os.pread(self._file, LONGEST, name).partition(b"\0")[0].decode()

    def type_of(self, address: int) -> str:
        """Return the tp_name of the type of an object."""
        return self.type_name(self.pointer(address, "PyObject.ob_type"))
