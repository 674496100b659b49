"""Why a program could not be executed: exec's errno alone does not tell (execve(2)).

Under `docker run --init` this line is all that the user sees (moby #30227), so it names the program and the cause.
"""

from __future__ import annotations

import errno
import os
import stat

from pyinit import exit_codes, files, native
from pyinit.native.search_path import DEFAULT_PATH

# What execve reads of a script's first line (binfmt_script, Linux 5.1 on), and enough of an ELF file's headers.
HEAD = 4096
PT_INTERP = 3
# elf.h: e_ident[EI_DATA], and e_machine of what containers are built for.
BIG_ENDIAN = b"\2"
MACHINES = {
    3: "i386",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
    258: "loongarch64",
}
# What a seccomp profile lets a call fail with: docker's EPERM, others ENOSYS.
FORBIDDEN = (errno.EPERM, errno.ENOSYS)


def hint(number: int, step: str) -> str:
    """What to do about a step before exec that failed, as the end of a line."""
    if step == "fork" and number == errno.EAGAIN:
        return "; the limit on processes is reached (docker's --pids-limit, ulimit -u)"
    if step == "fork" and number == errno.ENOMEM:
        return "; the memory limit is too small, or this PID namespace has ended"
    if step in ("setpgid", "setsid") and number in FORBIDDEN:
        return "; a seccomp profile may forbid it: -c does without"
    if step.startswith("set") and number == errno.EPERM:
        return "; -u needs the capabilities SETUID and SETGID, and CHOWN for /dev/stdout and /dev/stderr"
    return ""


def explain(program: bytes, number: int) -> tuple[int, str]:
    """The exit code, 126 or 127, and the line for a program that exec refused with errno `number`."""
    name = os.fsdecode(program) or "''"
    reason = os.strerror(number)
    if number in (errno.ENOENT, errno.ENOTDIR):
        return exit_codes.NOT_FOUND, f"{name}: {_why_not_found(program, reason)}"
    if number == errno.EACCES:
        reason = _why_refused(program, reason)
    elif number == errno.ENOEXEC:
        reason = _why_no_program(program, reason)
    return exit_codes.NOT_EXECUTABLE, f"{name}: cannot be executed: {reason}"


def _why_not_found(program: bytes, reason: str) -> str:
    if b"/" not in program:
        found = _first_in_path(program)
        if found is None:
            return "not found in PATH" if program else "not found: its name is empty"
        program = found
    if not os.path.lexists(program):
        return f"not found: {reason}"
    interpreter = _interpreter(program)
    if interpreter:
        return f"cannot be started: its interpreter {os.fsdecode(interpreter)} was not found"
    return f"not found: {reason}"


def _first_in_path(program: bytes) -> bytes | None:
    path = native.getenv(b"PATH")
    # An empty one is the current directory.
    for folder in (DEFAULT_PATH if path is None else path).split(b":"):
        file = (folder or b".") + b"/" + program
        if os.path.isfile(file):
            return file
    return None


def _why_refused(program: bytes, reason: str) -> str:
    path = program if b"/" in program else _first_in_path(program)
    try:
        mode = os.stat(path or program).st_mode
    except OSError:
        return reason
    if stat.S_ISDIR(mode):
        return "it is a directory"
    if not stat.S_ISREG(mode):
        return "it is not a regular file"
    if not mode & 0o111:
        return f"{reason}; it has no execute permission (chmod +x)"
    interpreter = _interpreter(path or program)
    if interpreter:
        return f"{reason}; it, its interpreter {os.fsdecode(interpreter)}, or a noexec mount may be why"
    return f"{reason}; a noexec mount or the permissions on its folders may be why"


def _why_no_program(program: bytes, reason: str) -> str:
    head = _head(program if b"/" in program else _first_in_path(program) or program)
    if head.startswith(b"\x7fELF"):
        number = int.from_bytes(head[18:20], "big" if head[5:6] == BIG_ENDIAN else "little")
        machine = MACHINES.get(number, "another machine")
        return f"{reason}: it is a program for {machine}, and this is {os.uname().machine}"
    if b"\0" in head.partition(b"\n")[0]:
        return f"{reason}: it is neither a program for this machine nor a script"
    return f"{reason}: it has no #! line, and there is no /bin/sh to try"


def _interpreter(path: bytes) -> bytes:
    """The interpreter that a script's first line or an ELF file's program header names; empty without one."""
    head = _head(path)
    if head.startswith(b"#!"):
        # Blanks and tabs end the name, as the kernel has it; a carriage return is part of it and must show.
        line = head[2:].split(b"\n", 1)[0].replace(b"\t", b" ").strip(b" ")
        return line.split(b" ", 1)[0]
    if head.startswith(b"\x7fELF\x02"):
        return _elf_interpreter(head)
    return b""


def _head(path: bytes) -> bytes:
    """The file's first bytes; none where they cannot be read."""
    try:
        return files.read(path, HEAD)
    except OSError:
        return b""


def _elf_interpreter(head: bytes) -> bytes:
    """PT_INTERP of a 64-bit ELF file (elf(5)), if it lies within its first bytes, as linkers put it."""
    start = int.from_bytes(head[32:40], "little")
    size = int.from_bytes(head[54:56], "little")
    for index in range(int.from_bytes(head[56:58], "little")):
        entry = head[start + index * size :][:size]
        if not entry:
            break
        if int.from_bytes(entry[:4], "little") == PT_INTERP:
            offset = int.from_bytes(entry[8:16], "little")
            length = int.from_bytes(entry[32:40], "little")
            return head[offset : offset + length].rstrip(b"\0")
    return b""
