"""Makes dist/pyinit_VERSION_ARCHITECTURE.deb from the frozen file, the manual page and the completions.

    python -m tools.deb        prints the package's path

Two runs with the same frozen file give the same package, bit for bit.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pyinit.cli.compat.originals import NAMES
from tools.release import DEBIAN, DIST, FROZEN, ReleaseError, changelog, debian_version, frozen_output, moment
from tools.tree import ROOT


def main() -> int:
    """Make the package and print its path."""
    try:
        print(make_deb(DIST))
    except ReleaseError as error:
        print(f"deb: {error}", file=sys.stderr)
        return 1
    return 0


def make_deb(folder: Path) -> Path:
    """Make the package in this folder and return its path; see ReleaseError."""
    version = debian_version()
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()
    package = folder / f"pyinit_{version}_{architecture}.deb"
    with tempfile.TemporaryDirectory() as name:
        stage = Path(name) / "stage"
        fill(stage)
        describe(stage, version, architecture)
        level(stage)
        # One thread: with more, how xz cuts its blocks depends on the machine.
        build = ["dpkg-deb", "--root-owner-group", "-Zxz", "--threads-max=1", "--build"]
        same_date = {**os.environ, "SOURCE_DATE_EPOCH": str(moment())}
        subprocess.run([*build, stage, package], check=True, stdout=subprocess.DEVNULL, env=same_date)
    return package


def fill(stage: Path) -> None:
    """Put everything that is installed where it will be."""
    notices = (DEBIAN / "copyright").read_text() + frozen_output("--license")
    put(stage / "usr/bin/pyinit", FROZEN.read_bytes(), 0o755)
    put(stage / "usr/share/man/man1/pyinit.1.gz", compressed((ROOT / "docs/pyinit.1").read_bytes()))
    put(stage / "usr/share/bash-completion/completions/pyinit", (ROOT / "completions/pyinit.bash").read_bytes())
    put(stage / "usr/share/zsh/vendor-completions/_pyinit", (ROOT / "completions/_pyinit").read_bytes())
    put(stage / "usr/share/doc/pyinit/copyright", notices.encode())
    put(stage / "usr/share/doc/pyinit/changelog.gz", compressed((ROOT / "CHANGELOG.md").read_bytes()))
    put(stage / "usr/share/doc/pyinit/changelog.Debian.gz", compressed(changelog().encode()))
    put(stage / "usr/share/lintian/overrides/pyinit", (DEBIAN / "lintian-overrides").read_bytes())
    # Run under another program's name it takes that one's options: a link is all that its users need.
    personas = stage / "usr/libexec/pyinit"
    personas.mkdir(parents=True)
    for persona in NAMES:
        (personas / persona).symlink_to("../../bin/pyinit")


def describe(stage: Path, version: str, architecture: str) -> None:
    """Write what dpkg reads: control, checksums and the scripts."""
    files = sorted(path for path in stage.rglob("*") if path.is_file() and not path.is_symlink())
    sums = "".join(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(stage)}\n" for path in files)
    # In KiB, as Debian's policy counts: files rounded up, and one for every folder and link.
    others = sum(1 for path in stage.rglob("*") if path.is_symlink() or path.is_dir())
    size = others + sum(-(-path.stat().st_size // 1024) for path in files)
    control = (DEBIAN / "control").read_text()
    for name, value in {"VERSION": version, "ARCHITECTURE": architecture, "SIZE": str(size)}.items():
        control = control.replace(f"@{name}@", value)
    put(stage / "DEBIAN/control", control.encode())
    put(stage / "DEBIAN/md5sums", sums.encode())
    for script in ("postinst", "prerm"):
        put(stage / "DEBIAN" / script, (DEBIAN / script).read_bytes(), 0o755)


def put(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def compressed(content: bytes) -> bytes:
    """The content as gzip makes it with -9n: without a name and a time."""
    return gzip.compress(content, 9, mtime=0)


def level(stage: Path) -> None:
    """Give everything the release's time, and every folder the mode that no umask changes."""
    for path in [stage, *stage.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
        os.utime(path, (moment(), moment()), follow_symlinks=False)


if __name__ == "__main__":
    sys.exit(main())
