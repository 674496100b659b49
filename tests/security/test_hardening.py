"""The file's hardening: what of it can be written, and what can be executed."""

from __future__ import annotations

import re
import shlex
import subprocess
from contextlib import closing
from pathlib import Path

from freezing import elf

from tests.frozen.segments import segments
from tests.support import procfs
from tests.support.commands import compiled, payload, shell
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.requirements import absent
from tests.support.service_manager import Manager


def test_no_segment_of_the_file_is_writable_and_executable(frozen: Path) -> None:
    """Code and constants cannot be written, data and stack cannot be executed: readelf's word for it."""
    shown = subprocess.run(["readelf", "-lW", frozen], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^  ([A-Z_]+) +0x.* 0x\w+ ([R ][W ][E ]) 0x\w+$", shown, re.MULTILINE)
    assert found == [("LOAD", "R  "), ("LOAD", "R E"), ("LOAD", "RW "), ("TLS", "R  "), ("GNU_STACK", "RW ")]


def test_no_constant_lies_in_an_executable_segment(frozen: Path) -> None:
    """Those that every start uses, such as the mask of every signal, lie in the segment that can only be read."""
    stage = frozen.parent.parent / ".work" / "pyinit" / "stage1"
    if not stage.exists():
        absent(f"{frozen} was made elsewhere")
    shown = subprocess.run(["nm", stage], check=True, capture_output=True, text=True).stdout
    kinds = re.findall(r"^(\w+) ([rRtT]) ", shown, re.MULTILINE)
    constants, code = ({int(address, 16) for address, kind in kinds if kind in letters} for letters in ("rR", "tT"))
    [readable, executable, _] = (each for each in segments(frozen) if each.type == elf.LOAD)
    assert constants <= set(range(readable.address, readable.address + readable.in_memory))
    assert code <= set(range(executable.address, executable.address + executable.in_memory + 1))


def test_no_memory_of_a_running_init_is_writable_and_executable(frozen: Path, tmp_path: Path) -> None:
    """Nor is there any when init runs: with a message, an orphan and a hundred signals behind it."""
    manager = Manager(str(tmp_path / "manager"))
    script = f'(true &); "$@"; exec {shlex.quote(str(compiled("receive")))}'
    words = ["-w", "--", *shell(script, *payload("notify", "READY=1"))]
    with closing(manager.socket), closing(Init([str(frozen)], words, environment=manager.environment)) as init:
        init.expect_error("reaped")
        assert manager.receive()[0] == b"READY=1"
        init.expect("got is ready\n")
        for _ in range(100):
            init.signal(34)
        until(lambda: init.stdout.count("got 34 ") == 100, "a hundred signals")
        init.idle()
        maps = [line.split() for line in procfs.read(init.pid, "maps").decode().splitlines()]
    # [vsyscall] is the kernel's, at the same place in every process.
    rights = {(words[1], words[5] if len(words) > 5 else "") for words in maps if words[5:] != ["[vsyscall]"]}
    assert [each for each in rights if "w" in each[0] and "x" in each[0]] == []
    assert {where for right, where in rights if "x" in right} == {str(frozen), "[vdso]"}
    assert ("rw-p", "[stack]") in rights


def test_the_stack_lies_at_another_address_each_time(frozen: Path) -> None:
    """The file has a fixed address; what the kernel places for itself has none."""

    def stack() -> str:
        with closing(Init([str(frozen)], ["--", *payload("receive")])) as init:
            init.expect("got is ready\n")
            return next(line for line in procfs.read(init.pid, "maps").decode().splitlines() if "[stack]" in line)

    assert len({stack().split()[0] for _ in range(4)}) > 1


def test_functions_of_pyinits_own_with_arrays_have_a_canary(frozen: Path) -> None:
    """GCC's stack protector reads it from %fs:0x28."""
    stage = frozen.parent.parent / ".work" / "pyinit" / "stage1"
    if not stage.exists():
        absent(f"{frozen} was made elsewhere")
    command = ["objdump", "--disassemble=pyinit_environment_write_pid", "--no-show-raw-insn", str(stage)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert shown.count("%fs:0x28") == 2
