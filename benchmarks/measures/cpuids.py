"""CPUID instructions of a program, where the processor cannot make them a fault: looked for one step at a time."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.tracing import traced

INSTRUCTION = b"\x0f\xa2"
# elf(5): where the program headers are, how many there are, and each one's type, flags, offset, size in the file.
START, COUNT = 32, 56
HEADER = struct.Struct("<IIQ16xQ16x")
LOAD, INTERPRETER = 1, 3  # types
EXECUTABLE = 1  # a flag


def count(command: Sequence[str], program: Path) -> int:
    """Of the command, which runs the program, and all that it starts."""
    return traced("stepper", command)[0] if may_have_any(program) else 0


def may_have_any(program: Path) -> bool:
    """Whether the file has those two bytes anywhere in its code, or makes the kernel load a linker, which has them."""
    content = program.read_bytes()
    headers = list(_headers(content))
    if any(kind == INTERPRETER for kind, *_ in headers):
        return True
    code = [(offset, offset + size) for kind, flags, offset, size in headers if kind == LOAD and flags & EXECUTABLE]
    return any(INSTRUCTION in content[start:end] for start, end in code)


def _headers(content: bytes) -> Iterator[tuple[int, int, int, int]]:
    (start,) = struct.unpack_from("<Q", content, START)
    (count,) = struct.unpack_from("<H", content, COUNT)
    for number in range(count):
        yield HEADER.unpack_from(content, start + number * HEADER.size)
