"""`make order`: writes profile/*.order, what an init uses of the file and of its heap, and what it asks objects for.

The linker lays the functions out in the order of their first use and the data side by side, build mode does the same
with the heap's blocks, so that a start touches few pages, and writes the answers down. The orders are not needed for a
right program, only for a quick one: refresh them when figures get worse. They come from runs that are traced step by
step, and from what each of their instructions reads and writes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from freezing import linkmap, optional, snapshot
from freezing.elf import Stage
from freezing.profiling import attribute_types, blocks, sections
from freezing.profiling.access_trace import Used
from freezing.profiling.memory import Memory, read_offsets
from freezing.profiling.operands import Operands

TRACE_ME, CONTINUE_BY_ONE, GET_REGISTERS, DETACH, SET_OPTIONS = 0, 9, 12, 17, 0x4200
WALL = 0x40000000  # wait(2): __WALL
VFORK_TOO, TELL_EXEC, EXEC = 0x4, 0x10, 4  # ptrace(2): PTRACE_O_TRACEVFORK, PTRACE_O_TRACEEXEC and its event
CLONE, NEW_PIDS, NEW_MOUNTS, PRIVATE = 56, 0x20000000, 0x20000, 0x44000  # clone(2), mount(2): MS_REC | MS_PRIVATE
REGISTERS = struct.Struct("<27Q")  # struct user_regs_struct
INSTRUCTION_POINTER = 16
FIRST_ARGUMENT, SECOND_ARGUMENT = 14, 13
# The payload leaves an orphan behind and signals its parent: init's whole ordinary life. It waits while init is busy,
# because a traced one is slow.
IDLE = "idle() { sleep 1; until grep -q '^State:.S' /proc/$PPID/status; do sleep 1; done; }"
LIVES = [
    ["--", "true"],
    ["-g", "--", "sh", "-c", f"{IDLE}; trap : USR1; idle; sh -c 'sleep 1 & :'; idle; kill -USR1 $PPID; idle; exit 0"],
]
# Soon over: their functions are laid out behind those of the lives, the heap is not.
ERRANDS = [["--version"], ["no-such-program"]]


def steps(program: str, words: list[str], first: bool = False) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The process and its registers before every instruction, from the program's first to its last.

    Those of the payload's process up to its exec are among them: it has the same memory. If the program is to be the
    `first` of a PID namespace, that needs root. Raises OSError where there cannot be one.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    pid = libc.syscall(CLONE, signal.SIGCHLD | (NEW_PIDS | NEW_MOUNTS if first else 0), None, None, None, None)
    if pid < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if pid == 0:
        if first:
            libc.mount(None, b"/", None, PRIVATE, None)
            libc.mount(b"proc", b"/proc", b"proc", 0, None)
        libc.ptrace(TRACE_ME, 0, None, None)
        os.execv(program, [program, *words])
    registers = ctypes.create_string_buffer(REGISTERS.size)
    known: set[int] = set()
    while True:
        stopped, status = os.waitpid(-1, WALL)
        if not os.WIFSTOPPED(status):
            if stopped == pid:
                return
            continue
        if status >> 16 == EXEC:
            libc.ptrace(DETACH, stopped, None, 0)
            continue
        libc.ptrace(GET_REGISTERS, stopped, None, registers)
        yield pid, REGISTERS.unpack(registers.raw)
        received = os.WSTOPSIG(status)
        if stopped not in known:
            known.add(stopped)
            libc.ptrace(SET_OPTIONS, stopped, None, VFORK_TOO | TELL_EXEC)
            received = signal.SIGTRAP  # a new one begins with a STOP that nobody has sent
        libc.ptrace(CONTINUE_BY_ONE, stopped, None, 0 if received == signal.SIGTRAP else received)


class Tracer:
    """Runs of one program, traced from the first to the last instruction."""

    def __init__(self, program: Path, stage: Path) -> None:
        self.program = program
        symbols = Stage(stage.read_bytes())
        self._offsets = read_offsets(stage)
        self._snapshot = symbols.symbol(attribute_types.SNAPSHOT)
        self._asks_object = {symbols.symbol(name) for name in attribute_types.FUNCTIONS}
        self._operands = Operands(stage)
        self.used = Used()
        self.sites: list[attribute_types.Site] = []

    def live(self) -> None:
        """Trace what an init usually does: as PID 1, and otherwise."""
        for words in LIVES:
            self.run(words, ordinary=True, first=True)
        self.run(LIVES[0], ordinary=True)

    def run(self, words: list[str], ordinary: bool, first: bool = False) -> None:
        """Trace a run, as PID 1 of a namespace if it is to be `first`; if not `ordinary`, only the code counts."""
        memory = None
        for pid, registers in steps(str(self.program), words, first):
            memory = memory or Memory(pid, self._offsets)
            at = registers[INSTRUCTION_POINTER]
            self.used.code[at] = None
            if ordinary:
                for address, is_written in self._operands.used(at, registers):
                    (self.used.written if is_written else self.used.read)[address] = None
                if at in self._asks_object:
                    arguments = registers[FIRST_ARGUMENT], registers[SECOND_ARGUMENT]
                    site = attribute_types.seen(memory, self._snapshot, *arguments)
                    self.sites += [site] if site else []
        if memory:
            memory.close()


def main() -> int:
    """WORK PROGRAM FOLDER: freeze the modules of PROGRAM, which was built in WORK, trace that, and fill FOLDER.

    The parts in the environment's PYINIT_WITHOUT must be those that PROGRAM was built without.
    """
    work, program, folder = (Path(word) for word in sys.argv[1:])
    stage, traced = work / "stage1", work / "traced"
    modules = (work / f"{program.name}.modules").read_bytes()
    # Told nothing, a run asks for the types of all objects that it uses.
    snapshot.freeze(stage, modules, traced, work, snapshot.Orders())
    tracer = Tracer(traced, stage)
    tracer.live()
    known = attribute_types.order(tracer.sites)
    told = snapshot.Orders((folder / "blocks.order").read_text(), sites=known)
    told = optional.without(optional.parse(os.environ.get("PYINIT_WITHOUT", "")), told)
    snapshot.freeze(stage, modules, traced, work, told)
    tracer = Tracer(traced, stage)
    tracer.live()
    for words in ERRANDS:
        tracer.run(words, ordinary=False)
    heap = blocks.read((work / f"{traced.name}.blocks").read_bytes())
    file = linkmap.sections(stage.with_suffix(".map").read_text())
    orders = {
        "sections": sections.order(file, tracer.used),
        "blocks": blocks.order(heap, tracer.used),
        "sites": known,
    }
    for name, text in orders.items():
        (folder / f"{name}.order").write_text(text)
    print(f"order: {', '.join(f'{text.count(chr(10))} {name}' for name, text in orders.items())}: see {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
