"""A virtual machine whose initramfs is pyinit and busybox, and what its serial console shows."""

from __future__ import annotations

import re
import stat
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PATIENCE = 300.0  # seconds; the processor is emulated
# Emulated also where /dev/kvm is: the same on every machine.
QEMU = (
    *("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "512"),
    *("-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-serial", "stdio"),
)
# PID 1's end is a panic, which ends qemu.
ARGUMENTS = "console=ttyS0 panic=-1 quiet rdinit=/init"
# As a kernel reports PID 1's end: a wait status.
ENDED = re.compile(r"Attempted to kill init! exitcode=0x([0-9a-f]+)")
# The firmware clears the screen before the first line.
PAINTED = re.compile(r"\x1b(?:c|\[[0-9;?]*[a-zA-Z])")


class Member(NamedTuple):
    """A file of the archive that the kernel unpacks: its content, or the numbers of the device that it is."""

    path: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


class Line(NamedTuple):
    """A line on the console, and when it came: seconds after the first."""

    seconds: float
    text: str


def archive(members: Sequence[Member]) -> bytes:
    """Return a cpio archive in the form that kernels take (newc; initramfs-buffer-format in the kernel's documents)."""
    written = bytearray()
    for number, each in enumerate([*members, Member("TRAILER!!!", 0)], 1):
        name = each.path.encode() + b"\0"
        fields = (number, each.mode, 0, 0, 1, 0, len(each.content), 0, 0, *each.device, len(name), 0)
        written += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        written += b"\0" * (-len(written) % 4) + each.content
        written += b"\0" * (-len(written) % 4)
    return bytes(written)


def initramfs(init: Path, busybox: Path, script: str) -> bytes:
    """Return an archive with pyinit as /init, busybox as /bin/sh, and a script as /payload."""
    folders = [Member(name, stat.S_IFDIR | 0o755) for name in ("bin", "dev", "proc")]
    devices = [
        Member("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)),
        Member("dev/null", stat.S_IFCHR | 0o666, device=(1, 3)),
    ]
    programs = [
        Member("init", stat.S_IFREG | 0o755, init.read_bytes()),
        Member("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes()),
        Member("bin/sh", stat.S_IFLNK | 0o777, b"busybox"),
        Member("payload", stat.S_IFREG | 0o755, script.encode()),
    ]
    return archive([*folders, *devices, *programs])


def booted(kernel: Path, folder: Path, contents: bytes, words: Sequence[str]) -> tuple[int, list[Line]]:
    """Boot, with these words for pyinit; return PID 1's exit code, and the console's lines up to its end.

    A kernel keeps `--` for itself wherever it stands among the words. -1 if the kernel reported no end of PID 1.
    """
    disk = folder / "initramfs"
    disk.write_bytes(contents)
    command = [*QEMU, "-kernel", str(kernel), "-initrd", str(disk), "-append", f"{ARGUMENTS} -- {' '.join(words)}"]
    code, lines = -1, []
    with (folder / "stderr").open("wb") as errors:
        qemu = subprocess.Popen(
            ["timeout", "--signal=KILL", str(PATIENCE), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert qemu.stdout
        begun = time.monotonic()
        for raw in qemu.stdout:
            for text in filter(None, PAINTED.split(raw.decode(errors="replace").rstrip())):
                lines.append(Line(time.monotonic() - begun, text))
            if lines and (found := ENDED.search(lines[-1].text)):
                code = int(found[1], 16) >> 8
        qemu.stdout.close()
        ended = qemu.wait()
    assert ended == 0, (ended, lines, (folder / "stderr").read_text())
    return code, lines
