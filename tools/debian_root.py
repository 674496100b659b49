"""Makes a small Debian root file system from the machine's own mirror, once, and keeps it as a tar.

    tools/debian_root.py [PACKAGE...]     prints the tar's path

The tar lies in ~/.cache/pyinit under the hash of what it was made from, with its own hash beside it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SUITE = "bookworm"
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


def main() -> int:
    """Make the tar if need be and print its path."""
    print(debian_tar(sys.argv[1:] or PACKAGES))
    return 0


def debian_tar(packages: Sequence[str] = PACKAGES) -> Path:
    """Return the tar of a minimal Debian with these packages, made now if it is not in the cache.

    Raises CalledProcessError if debootstrap fails; needs root, and some 40 s the first time.
    """
    inputs = [SUITE, *LEFT_OUT, *sorted(packages), "layout 1"]
    key = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    tar = cache() / f"debian-{key}.tar"
    manifest = tar.with_suffix(".sha256")
    with locked(tar.with_suffix(".lock")):
        if not is_whole(tar, manifest):
            manifest.unlink(missing_ok=True)
            make_tar(tar, packages)
            manifest.write_text(digest(tar))
    return tar


def cache() -> Path:
    """Return the folder of what is worth keeping from one run to the next."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pyinit"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on this file: several workers ask for the same tar at once, one makes it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_whole(file: Path, manifest: Path) -> bool:
    """Tell whether the file is there and is what was written."""
    try:
        return manifest.read_text() == digest(file)
    except FileNotFoundError:
        return False


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def make_tar(tar: Path, packages: Sequence[str]) -> None:
    """Install Debian into a folder of its own and pack it; the tar appears whole or not at all."""
    with tempfile.TemporaryDirectory(prefix="debian-", dir=tar.parent) as name:
        root, packed, log = Path(name) / "root", Path(name) / "tar", Path(name) / "log"
        include = ",".join(packages)
        bootstrap = ["debootstrap", "--variant=minbase", f"--include={include}"]
        bootstrap += [f"--keyring={KEYRING}", SUITE, str(root), mirror()]
        # In a mount namespace of its own: what an interrupted debootstrap leaves mounted goes with it.
        private = ["unshare", "--mount", "--fork", "--kill-child"]
        with log.open("wb") as output:
            done = subprocess.run([*private, *bootstrap], stdout=output, stderr=output, check=False)
        if done.returncode != 0:
            sys.stderr.write(log.read_text(errors="replace")[-4000:])
            done.check_returncode()
        excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
        subprocess.run(["tar", "-C", root, *excluded, "-cf", packed, "."], check=True)
        packed.rename(tar)


def mirror() -> str:
    """Return where this machine's apt gets Debian from; raises LookupError if it names no place."""
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
    raise LookupError(f"debian_root: apt's sources do not name {SUITE} main; add it to them")


if __name__ == "__main__":
    sys.exit(main())
