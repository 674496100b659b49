"""`make order`: writes build/*.order, what an init uses of the file and of its heap, and what it asks objects for.

The linker lays the functions out in the order of their first use and the data side by side, build mode does the same
with the heap's blocks, so that a start touches few pages, and writes the answers down. The orders are not needed for a
right program, only for a quick one: refresh them when figures get worse. They come from runs that are traced step by
step.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from freezing import blocks, lookups, sites, snapshot
from freezing.elf import FUNCTION, OBJECT, Stage
from freezing.memory import Memory
from freezing.places import Places

TRACE_ME, CONTINUE_BY_ONE, GET_REGISTERS = 0, 9, 12
CLONE, NEW_PIDS, NEW_MOUNTS, PRIVATE = 56, 0x20000000, 0x20000, 0x44000  # clone(2), mount(2): MS_REC | MS_PRIVATE
REGISTERS = struct.Struct("<27Q")  # struct user_regs_struct
INSTRUCTION_POINTER = 16
FIRST_ARGUMENT, SECOND_ARGUMENT = 14, 13
ADDRESSES = slice(0, 15)  # the registers that can hold one, but for the stack pointer
# The payload leaves an orphan behind and signals its parent: init's whole ordinary life. It waits while init is busy,
# because a traced one is slow.
IDLE = "idle() { sleep 1; until grep -q '^State:.S' /proc/$PPID/status; do sleep 1; done; }"
LIVES = [
    ["--", "true"],
    ["-g", "--", "sh", "-c", f"{IDLE}; trap : USR1; idle; sh -c 'sleep 1 & :'; idle; kill -USR1 $PPID; idle; exit 0"],
]
# Soon over: their functions are laid out behind those of the lives, the heap is not.
ERRANDS = [["--version"], ["no-such-program"]]
# The payload's process runs these before its exec, and is not traced; these tables are used without a pointer.
UNSEEN = ["child", "execute", "pyinit_environment_write_pid", "_PyMem", "_PyMem_Raw", "_PyObject", "PyHash_Func"]
HEAD = """\
# The functions that an init uses, in the order of their first use, then the data: written by `make order`, read by the
# linker.
"""


def steps(program: str, words: list[str], first: bool = False) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The process and its registers before every instruction, from the program's first to its last.

    If it is to be the `first` of a PID namespace, that needs root. Raises OSError where there cannot be one.
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
    while True:
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return
        libc.ptrace(GET_REGISTERS, pid, None, registers)
        yield pid, REGISTERS.unpack(registers.raw)
        received = os.WSTOPSIG(status)
        libc.ptrace(CONTINUE_BY_ONE, pid, None, 0 if received == signal.SIGTRAP else received)


class Tracer:
    """Runs of one program, traced from the first to the last instruction."""

    def __init__(self, program: Path, stage: Stage) -> None:
        self.program = program
        self.functions = Places(stage.symbols(FUNCTION))
        self.data = Places(stage.symbols(OBJECT))
        self._thread = stage.symbol(sites.THREAD)
        self._asks_type = stage.symbol(lookups.FUNCTION)
        self._asks_object = {stage.symbol(name) for name in sites.FUNCTIONS}
        # The names of all functions that ran, in the order of their first use.
        self.code: dict[tuple[str, ...] | None, None] = {}
        self.addresses: set[int] = set()
        self.lookups: list[lookups.Lookup] = []
        self.sites: list[sites.Site] = []

    def live(self) -> None:
        """Trace what an init usually does: as PID 1, and otherwise."""
        for words in LIVES:
            self.run(words, ordinary=True, first=True)
        self.run(LIVES[0], ordinary=True)

    def run(self, words: list[str], ordinary: bool, first: bool = False) -> None:
        """Trace a run, as PID 1 of a namespace if it is to be `first`; if not `ordinary`, only the functions count."""
        memory = None
        for pid, registers in steps(str(self.program), words, first):
            memory = memory or Memory(pid)
            at = registers[INSTRUCTION_POINTER]
            self.code[self.functions.at(at)] = None
            if ordinary:
                self.addresses.update(registers[ADDRESSES])
                self._note(memory, at, registers[FIRST_ARGUMENT], registers[SECOND_ARGUMENT])
        if memory:
            memory.close()

    def _note(self, memory: Memory, at: int, first: int, second: int) -> None:
        if at == self._asks_type:
            self.lookups.append(lookups.seen(memory, first, second))
        elif at in self._asks_object:
            site = sites.seen(memory, self._thread, first, second)
            self.sites += [site] if site else []


def main() -> int:
    """WORK PROGRAM FOLDER: freeze the modules of PROGRAM, which was built in WORK, trace that, and fill FOLDER."""
    work, program, folder = (Path(word) for word in sys.argv[1:])
    stage, traced = work / "stage1", work / "traced"
    modules = (work / f"{program.name}.modules").read_bytes()
    # Told nothing, a run asks for the types of all objects that it uses.
    snapshot.freeze(stage, modules, traced, work, snapshot.Orders())
    tracer = Tracer(traced, Stage(stage.read_bytes()))
    tracer.live()
    known = sites.order(tracer.sites)
    # Without an answer in the cache of methods: what must be searched for there has to be near as well, because a few
    # find no place in it, other ones each time.
    snapshot.freeze(stage, modules, traced, work, snapshot.Orders((folder / "blocks.order").read_text(), sites=known))
    tracer = Tracer(traced, Stage(stage.read_bytes()))
    tracer.live()
    for words in ERRANDS:
        tracer.run(words, ordinary=False)
    heap = blocks.read((work / f"{traced.name}.blocks").read_bytes())
    places = Places(heap)
    used = {places.at(address) for address in tracer.addresses}
    # What has its address in a register is used: of an object Python looks at least at the reference count.
    symbols = [*tracer.code, *(tracer.data.at(address) for address in sorted(tracer.addresses))]
    names = dict.fromkeys([*(name for names in symbols if names is not None for name in names), *UNSEEN])
    (folder / "symbols.order").write_text(HEAD + "\n".join(names) + "\n")
    (folder / "blocks.order").write_text(blocks.order(heap, used))
    (folder / "lookups.order").write_text(lookups.order(tracer.lookups))
    (folder / "sites.order").write_text(known)
    print(f"order: {len(names)} symbols, {len(used)} blocks, {len(set(tracer.lookups))} lookups: see {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
