"""The C compiler: gcc against musl, with the flags that everything in the file is compiled with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from freezing import cache
from freezing.steps import BuildError

FLAGS = [
    "-Os",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-pie",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
]


def libc() -> Path:
    """musl's libc.a. Raises BuildError if musl is not installed."""
    answer = subprocess.run(["musl-gcc", "-print-file-name=libc.a"], capture_output=True, text=True, check=False)
    path = Path("/usr/lib/x86_64-linux-musl/libc.a")
    if answer.returncode != 0 or not path.exists():
        raise BuildError("no musl: `tools/need musl-tools` installs it")
    return path


def fingerprint() -> str:
    """What decides about the compiler's output besides flags and source: its version and libc."""
    version = subprocess.run(["musl-gcc", "--version"], capture_output=True, text=True, check=True)
    return f"{version.stdout.splitlines()[0]} {cache.sha256(libc())}"


def environment() -> dict[str, str]:
    """Nothing of the caller's but PATH, and one point in time for all that asks: the output is reproducible."""
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, "LC_ALL": "C", "SOURCE_DATE_EPOCH": "0", "TZ": "UTC0"}


def wrapper(folder: Path) -> Path:
    """musl-gcc that also answers the one question CPython's configure asks of a compiler."""
    script = folder / "cc-musl"
    script.write_text(
        '#!/bin/sh\ncase " $* " in *print-multiarch*) echo x86_64-linux-musl; exit;; esac\nexec musl-gcc "$@"\n'
    )
    script.chmod(0o755)
    return script


def linux_headers(folder: Path) -> Path:
    """musl-gcc hides the kernel's headers together with glibc's: a folder that holds the kernel's alone."""
    folder.mkdir(parents=True, exist_ok=True)
    links = {"linux": "/usr/include/linux", "asm-generic": "/usr/include/asm-generic"}
    links["asm"] = "/usr/include/x86_64-linux-gnu/asm"
    for name, target in links.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)
    return folder
