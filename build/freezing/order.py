"""`make order`: writes build/*.order, what an init uses of the file and of its heap, and what it looks up in types.

The linker lays the functions out in the order of their first use and the data side by side, build mode does the same
with the heap's blocks, so that a start touches few pages, and fills the cache of methods. The orders are not needed
for a right program, only for a quick one: refresh them when figures get worse. They come from runs that are traced
step by step.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from freezing import blocks, lookups, snapshot
from freezing.elf import FUNCTION, OBJECT, Stage
from freezing.lookups import Lookup
from freezing.places import Places

TRACE_ME, CONTINUE_BY_ONE, GET_REGISTERS = 0, 9, 12
REGISTERS = struct.Struct("<27Q")  # struct user_regs_struct
INSTRUCTION_POINTER = 16
FIRST_ARGUMENT, SECOND_ARGUMENT = 14, 13
ADDRESSES = slice(0, 15)  # the registers that can hold one, but for the stack pointer
# The payload leaves an orphan behind and signals its parent: init's whole ordinary life. It waits while init is busy,
# because a traced one is slow.
IDLE = "idle() { sleep 1; until grep -q '^State:.S' /proc/$PPID/status; do sleep 1; done; }"
LIVES = [
    ["true"],
    ["sh", "-c", f"{IDLE}; trap : USR1; idle; sh -c 'sleep 1 & :'; idle; kill -USR1 $PPID; idle; exit 0"],
]
# Soon over: their functions are laid out behind those of the lives, the heap is not.
ERRANDS = [["--version"], ["no-such-program"]]
HEAD = """\
# The functions that an init uses, in the order of their first use, then the data: written by `make order`, read by the
# linker.
"""


def steps(program: str, words: list[str]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The process and its registers before every instruction, from the program's first to its last."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    pid = os.fork()
    if pid == 0:
        libc.ptrace(TRACE_ME, 0, None, None)
        os.execv(program, [program, *words])
    registers = ctypes.create_string_buffer(REGISTERS.size)
    while True:
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return
        libc.ptrace(GET_REGISTERS, pid, None, registers)
        yield pid, REGISTERS.unpack(registers.raw)
        received = os.WSTOPSIG(status)
        libc.ptrace(CONTINUE_BY_ONE, pid, None, 0 if received == signal.SIGTRAP else received)


def main() -> int:
    """WORK PROGRAM FOLDER: trace PROGRAM, which was built in WORK, and write the two orders to FOLDER."""
    work, program, folder = (Path(word) for word in sys.argv[1:])
    stage = Stage((work / "stage1").read_bytes())
    # Without an answer in the cache of methods: what must be searched for there has to be near as well, because a few
    # find no place in it, other ones each time.
    traced = work / "traced"
    modules = (work / f"{program.name}.modules").read_bytes()
    snapshot.freeze(work / "stage1", modules, traced, work, (folder / "blocks.order").read_text())
    heap = blocks.read((work / f"{traced.name}.blocks").read_bytes())
    functions, data, places = Places(stage.symbols(FUNCTION)), Places(stage.symbols(OBJECT)), Places(heap)
    code: dict[tuple[str, ...] | None, None] = {}
    addresses: set[int] = set()
    looked_up: list[Lookup] = []
    asks_type = stage.symbol(lookups.FUNCTION)
    for scenario in [*LIVES, *ERRANDS]:
        for pid, registers in steps(str(traced), scenario):
            code[functions.at(registers[INSTRUCTION_POINTER])] = None
            if scenario in LIVES:
                addresses.update(registers[ADDRESSES])
                if registers[INSTRUCTION_POINTER] == asks_type:
                    looked_up.append(lookups.seen(pid, registers[FIRST_ARGUMENT], registers[SECOND_ARGUMENT]))
    # What has its address in a register is used: of an object Python looks at least at the reference count.
    symbols = [*code, *(data.at(address) for address in sorted(addresses))]
    names = dict.fromkeys(name for names in symbols if names is not None for name in names)
    used = {places.at(address) for address in addresses}
    (folder / "symbols.order").write_text(HEAD + "\n".join(names) + "\n")
    (folder / "blocks.order").write_text(blocks.order(heap, used))
    (folder / "lookups.order").write_text(lookups.order(looked_up))
    print(f"order: {len(names)} symbols and {len(used)} blocks, {len(set(looked_up))} lookups in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
