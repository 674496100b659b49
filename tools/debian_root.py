"""Makes a small Debian root file system from where this machine's apt finds Debian, once, and keeps it as a tar."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from freezing import cache, steps

from tools.tree import ROOT

SUITE = "bookworm"
LOGS = ROOT / ".work" / "debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# What the engines' tests run in a Debian container.
PACKAGES = ("gunicorn", "nginx-light", "python3-minimal")
TARGET = "$(CODENAME) $(COMPONENT) $(REPO_URI)"  # as apt-get(8) lists its sources
# What nobody reads in a container; without it the tar is half as large.
LEFT_OUT = (
    "./dev/*",
    "./var/cache/apt/*.bin",
    "./var/cache/apt/archives/*.deb",
    "./var/lib/apt/lists/*",
    "./usr/share/doc/*",
    "./usr/share/info/*",
    "./usr/share/locale/*",
    "./usr/share/man/*",
)


def debian_tar(packages: Sequence[str] = PACKAGES) -> Path:
    """The tar of a minimal Debian with these packages, made now if it is not in the cache.

    Raises steps.BuildError if debootstrap fails; needs root, and some 40 s the first time.
    """
    inputs = [SUITE, *LEFT_OUT, *sorted(packages), "layout 1"]
    key = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    with tempfile.TemporaryDirectory(prefix="pyinit-debian-") as scratch:
        return cache.made(f"debian-{key}.tar", lambda: _made(Path(scratch), packages))


def _made(folder: Path, packages: Sequence[str]) -> Path:
    root, tar = folder / "root", folder / "tar"
    bootstrap = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}"]
    bootstrap += [f"--keyring={KEYRING}", SUITE, str(root), _mirror()]
    # In a mount namespace of its own: what an interrupted debootstrap leaves mounted goes with it.
    private = ["unshare", "--mount", "--fork", "--kill-child"]
    steps.run(f"Debian: install {SUITE} (40 s)", [*private, *bootstrap], LOGS / "debootstrap.log")
    excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    steps.run("Debian: pack", ["tar", "-C", root, *excluded, "-cf", tar, "."], LOGS / "tar.log")
    return tar


def _mirror() -> str:
    """Where this machine's apt gets Debian from. Raises BuildError if its sources name no such place."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", TARGET, "Created-By: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in listed.splitlines():
        codename, component, where = line.split(" ", 2)
        if (codename, component) == (SUITE, "main"):
            return where
    raise steps.BuildError(f"apt's sources do not name {SUITE} main; add it to them")
