"""The finished file: the linked stage with the snapshot in place of its data, and nothing that a loader ignores."""

from __future__ import annotations

import struct
from collections.abc import Iterator

FILE_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
LOAD = 1  # a kind of segment
SYMBOLS = 2  # a kind of section
PAGE = 4096


class Segment:
    """One program header."""

    def __init__(self, fields: tuple[int, ...]) -> None:
        self.type, self.flags, self.offset, self.address, self.physical, *rest = fields
        self.in_file, self.in_memory, self.alignment = rest

    def packed(self) -> bytes:
        """As it stands in a file."""
        sizes = (self.in_file, self.in_memory, self.alignment)
        return PROGRAM_HEADER.pack(self.type, self.flags, self.offset, self.address, self.physical, *sizes)


class Stage:
    """A linked file that holds no snapshot yet."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._header = FILE_HEADER.unpack_from(content)
        start, size, count = self._header[5], self._header[9], self._header[10]
        places = range(start, start + size * count, size)
        self._segments = [Segment(PROGRAM_HEADER.unpack_from(content, at)) for at in places]

    def symbol(self, name: str) -> int:
        """The address of a symbol. Raises KeyError if there is none."""
        for address, found in self._symbols():
            if found == name:
                return address
        raise KeyError(name)

    def _symbols(self) -> Iterator[tuple[int, str]]:
        """Address and name of everything in the symbol table."""
        start, size, count = self._header[6], self._header[11], self._header[12]
        places = range(start, start + size * count, size)
        sections = [SECTION_HEADER.unpack_from(self._content, at) for at in places]
        for table in (section for section in sections if section[1] == SYMBOLS):
            strings = sections[table[6]][4]
            for at in range(table[4], table[4] + table[5], SYMBOL.size):
                name, _, _, _, value, _ = SYMBOL.unpack_from(self._content, at)
                begin = strings + name
                end = self._content.index(0, begin)
                yield value, self._content[begin:end].decode()

    def finished(self, snapshot: bytes, spare: int) -> bytes:
        """Return the file with the snapshot in it, and `spare` bytes of zeros in memory behind it."""
        _, code, data = (each for each in self._segments if each.type == LOAD)
        begin = self.symbol("pyinit_snapshot_start") - data.address
        old = self._content[data.offset : data.offset + begin]
        new = old + snapshot
        # Whole pages: of one that the file holds in part, the kernel would fill up the rest at every start.
        stored = new.rstrip(b"\0")
        stored += b"\0" * (-(data.address + len(stored)) % PAGE)

        body = self._content[: code.offset + code.in_file]
        gap = (data.address - len(body)) % PAGE
        data.offset = len(body) + gap
        data.in_file, data.in_memory = len(stored), len(new) + spare
        header = list(self._header)
        header[6] = header[11] = header[12] = header[13] = 0  # no sections
        heads = FILE_HEADER.pack(*header) + b"".join(each.packed() for each in self._segments)
        return heads + body[len(heads) :] + b"\0" * gap + stored
