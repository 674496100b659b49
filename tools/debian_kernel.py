"""Fetches Debian's kernel for virtual machines from where this machine's apt finds Debian, once, and keeps it."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from freezing import cache, steps

from tools.tree import ROOT

PACKAGE = "linux-image-cloud-amd64"  # it has nothing in it, and depends on the newest kernel
LOGS = ROOT / ".work" / "kernel"


def kernel() -> Path:
    """Return the file that a virtual machine boots; raise steps.BuildError if it cannot be fetched.

    Nothing is installed: the package's scripts would make an initramfs for this machine.
    """
    key = hashlib.sha256(f"{PACKAGE}\nlayout 1".encode()).hexdigest()[:16]
    with tempfile.TemporaryDirectory(prefix="pyinit-kernel-") as scratch:
        return cache.made(f"vmlinuz-{key}", lambda: _fetched(Path(scratch)))


def _fetched(folder: Path) -> Path:
    if not (name := _newest()):
        # The lists of a fresh machine are empty.
        steps.run("kernel: apt-get update", ["apt-get", "update"], LOGS / "update.log")
        name = _newest()
    if not name:
        raise steps.BuildError(f"apt knows no package {PACKAGE}")
    # The user that apt changes to may write into a folder of its own alone.
    unsandboxed = ["-o", "APT::Sandbox::User=root"]
    steps.run(f"kernel: fetch {name}", ["apt-get", *unsandboxed, "download", name], LOGS / "download.log", folder)
    [package] = folder.glob("*.deb")
    steps.run("kernel: unpack", ["dpkg-deb", "--extract", package, folder / "root"], LOGS / "unpack.log")
    [image] = (folder / "root" / "boot").glob("vmlinuz-*")
    return image


def _newest() -> str:
    """Return the name of the package that the kernel is in; empty if apt does not know."""
    asked = subprocess.run(
        ["apt-cache", "depends", "--important", PACKAGE], check=False, capture_output=True, text=True
    )
    names = [line.split()[-1] for line in asked.stdout.splitlines() if "Depends: linux-image-" in line]
    return names[0] if names else ""
