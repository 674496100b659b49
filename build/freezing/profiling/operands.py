"""What instructions read and write: the addresses of their operands, by objdump and a process's registers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

# struct user_regs_struct, as far as an address can be made of it
REGISTERS = ("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi")
NUMBERS = {f"%{name}": number for number, name in enumerate(REGISTERS)}
RCX = NUMBERS["%rcx"]
STACK = "%rsp"
SYSTEM_CALL = "syscall"
POINTERS = ("%rdi", "%rsi", "%rdx", "%r10")  # what a system call may find its arguments by
WRAP = (1 << 64) - 1

INSTRUCTION = re.compile(r" +([0-9a-f]+):\t(?:(?:lock|notrack|cs|data16) |(rep)\w* )*(\w+) *([^#<]*)(?:# ([0-9a-f]+))?")
# DISPLACEMENT(BASE,INDEX,SCALE) or an address alone; not $IMMEDIATE, nor what lies in a thread's own segment.
OPERAND = re.compile(r"(?<![$\w:%])(?:%[ed]s:)?(-?0x[0-9a-f]+)?(?:\((%\w+)?(?:,(%\w+),(\d))?\))?(?=,|$| )")
NO_ACCESS = re.compile(r"lea|nop|prefetch")
# What leaves its last operand as it is.
READS = re.compile(r"cmp(?!xchg)|v?u?comis|test|bt[bwlq]?$|push|jmp|call|i?div|i?mul")


class Operand(NamedTuple):
    """A place in memory; numbers of registers, -1 for none."""

    displacement: int
    base: int
    steps: int
    scale: int
    is_written: bool
    is_counted: bool  # the instruction is repeated as often as a register says


class Operands:
    """Those in memory of all instructions of an ELF file, but for what they address by the stack pointer."""

    def __init__(self, file: Path) -> None:
        command = ["objdump", "--disassemble", "--no-show-raw-insn", str(file)]
        text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        self._operands = dict(map(_read, text.splitlines()))

    def used(self, instruction: int, registers: Sequence[int]) -> Iterator[tuple[int, bool]]:
        """The addresses that it is about to use, and whether it writes there."""
        for operand in self._operands.get(instruction, ()):
            if operand.is_counted and registers[RCX] == 0:
                continue
            base = registers[operand.base] if operand.base >= 0 else 0
            steps = registers[operand.steps] * operand.scale if operand.steps >= 0 else 0
            yield (operand.displacement + base + steps) & WRAP, operand.is_written


def _read(line: str) -> tuple[int, list[Operand]]:
    """An instruction's address and operands, from its line."""
    match = INSTRUCTION.match(line)
    if match is None or NO_ACCESS.match(match[3]):
        return 0, []
    at, repeated, mnemonic, words, comment = match.groups()
    if comment:
        words = re.sub(r"-?(?:0x[0-9a-f]+)?\(%rip\)", f"0x{comment}", words)
    if mnemonic == SYSTEM_CALL:
        return int(at, 16), [Operand(0, NUMBERS[each], -1, 1, False, False) for each in POINTERS]
    return int(at, 16), list(_in_memory(mnemonic, words.replace("*", "").strip(), bool(repeated)))


def _in_memory(mnemonic: str, words: str, is_counted: bool) -> Iterator[Operand]:
    for found in OPERAND.finditer(words):
        displacement, base, steps, scale = found.groups()
        if not found[0] or base == STACK:
            continue
        number, steps_number = (NUMBERS.get(each, -1) for each in (base, steps))
        is_written = found.end() == len(words) and not READS.match(mnemonic)
        place = int(displacement or "0", 16)
        yield Operand(place, number, steps_number, int(scale or "1"), is_written, is_counted)
