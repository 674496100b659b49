"""`make order`: writes build/symbols.order, the functions that an init uses, in the order of their first use.

The linker lays them out in that order, so that a start touches few pages. The order is not needed for a right program,
only for a quick one: refresh it when figures get worse. It comes from a run that is traced step by step.
"""

from __future__ import annotations

import bisect
import ctypes
import os
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from freezing.elf import Stage

TRACE_ME, CONTINUE_BY_ONE, GET_REGISTERS = 0, 9, 12
REGISTERS = struct.Struct("<27Q")
INSTRUCTION_POINTER = 16
HEAD = """\
# The functions that an init uses, in the order of their first use: written by `make order`, read by the linker.
"""


def steps(program: str, words: list[str]) -> Iterator[int]:
    """Every instruction's address, from the program's first to its last."""
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
        yield REGISTERS.unpack(registers.raw)[INSTRUCTION_POINTER]
        received = os.WSTOPSIG(status)
        libc.ptrace(CONTINUE_BY_ONE, pid, None, 0 if received == signal.SIGTRAP else received)


def main() -> int:
    """STAGE PROGRAM TARGET: trace PROGRAM, whose symbols are in STAGE, and write TARGET."""
    stage, program, target = (Path(word) for word in sys.argv[1:])
    functions = sorted(Stage(stage.read_bytes()).functions())
    starts = [address for address, _ in functions]
    used: dict[str, None] = {}
    # The payload leaves an orphan behind and signals its parent: init's whole ordinary life, at a traced init's pace.
    life = "trap : USR1; sh -c 'sleep 3 & :'; sleep 2; kill -USR1 $PPID; sleep 3; exit 0"
    for scenario in (["true"], ["sh", "-c", life], ["--version"], ["no-such-program"]):
        for address in steps(str(program), scenario):
            place = bisect.bisect_right(starts, address) - 1
            if place >= 0 and address < functions[-1][0] + 4096:
                used[functions[place][1]] = None
    target.write_text(HEAD + "\n".join(used) + "\n")
    print(f"order: {len(used)} functions in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
