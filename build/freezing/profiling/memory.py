"""What a traced process has in its memory: C's strings and CPython's objects (3.11)."""

from __future__ import annotations

import os
import struct

POINTER = struct.Struct("<Q")
OBJECT_TYPE, TYPE_NAME = 8, 24  # offsets of ob_type in PyObject, of tp_name in PyTypeObject
LENGTH, CHARACTERS = 16, 48  # offsets of both in PyASCIIObject
LONGEST = 100  # characters of a name, as everywhere in CPython's cache of methods


class Memory:
    """The memory of a process, in the middle of a traced step."""

    def __init__(self, pid: int) -> None:
        self._file = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """The process goes on, or has ended."""
        os.close(self._file)

    def pointer(self, address: int) -> int:
        """The pointer that stands there."""
        value: int = POINTER.unpack(os.pread(self._file, POINTER.size, address))[0]
        return value

    def string(self, address: int) -> str:
        """A `str` object's characters, if they are ASCII."""
        length = min(self.pointer(address + LENGTH), LONGEST)
        return os.pread(self._file, length, address + CHARACTERS).decode("ascii", "replace")

    def type_name(self, address: int) -> str:
        """A type's tp_name."""
        return os.pread(self._file, LONGEST, self.pointer(address + TYPE_NAME)).partition(b"\0")[0].decode()

    def type_of(self, address: int) -> str:
        """The tp_name of an object's type."""
        return self.type_name(self.pointer(address + OBJECT_TYPE))
