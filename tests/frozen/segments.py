"""The segments of a file: what the kernel maps of it."""

from __future__ import annotations

from pathlib import Path

from freezing import elf


def segments(file: Path) -> list[elf.Segment]:
    """The program headers, in their order."""
    content = file.read_bytes()
    header = elf.FILE_HEADER.unpack_from(content)
    start, size, count = header[5], header[9], header[10]
    return [elf.Segment(elf.PROGRAM_HEADER.unpack_from(content, start + size * index)) for index in range(count)]
