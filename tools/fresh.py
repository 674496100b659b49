"""Runs make's targets as a newcomer's first command: each in a fresh Debian with no more than README asks for.

    python -m tools.fresh TARGET,...    e.g. "dist,run CMD='ls -l'"; says of each how it went, 1 if one has failed

What is needed beyond python3 and make must be installed by the target itself, from where this machine's apt and pip
find it. ~/.cache begins empty, so that CPython is built once; what the first target puts there, the next ones find.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools.debian_root import debian_tar
from tools.namespace import PATH
from tools.tree import copied

PACKAGES = ("ca-certificates", "make", "python3")
PLACE = "/home/newcomer/pyinit"
# How a container begins; what has been mounted goes with the namespace. $1: the layers' folder, $2: make's words.
SCRIPT = f"""\
set -eu
cd "$1"; shift
mount -t overlay -o lowerdir=base,upperdir=upper,workdir=work overlay root
mount -t proc proc root/proc
mount -t tmpfs tmpfs root/run
for each in /dev /sys; do mount --rbind --make-rslave "$each" "root$each"; done
for each in cache archives; do mkdir -p "$each"; done
mkdir -p root/root/.cache root/var/cache/apt/archives
mount --bind cache root/root/.cache
mount --bind archives root/var/cache/apt/archives
while read -r path; do
    mkdir -p "root$(dirname "$path")"
    if [ -d "$path" ]; then mkdir -p "root$path"; else : >>"root$path"; fi
    mount --rbind --make-rslave "$path" "root$path"
done <given
cd root
pivot_root . mnt
exec chroot . /bin/sh -c 'umount -l /mnt && cd {PLACE} && exec make "$@"' make "$@"
"""
CONTAINER = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


def main() -> int:
    """Try one target after the other."""
    with tempfile.TemporaryDirectory(prefix="pyinit-fresh-") as name:
        folder = Path(name)
        base = folder / "base"
        base.mkdir()
        subprocess.run(["tar", "-C", base, "-xf", debian_tar(PACKAGES)], check=True)
        copied(base / PLACE.lstrip("/"))
        (folder / "given").write_text("".join(f"{path}\n" for path in settings_of_this_machine()))
        failed = [target for target in sys.argv[1].split(",") if not tried(folder, target)]
    return min(len(failed), 1)


def tried(folder: Path, target: str) -> bool:
    """Run one target in a Debian of its own, and tell whether it has succeeded; what it says is shown if not."""
    for layer in ("upper", "work", "root"):
        (folder / layer).mkdir()
    environment = {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8"}
    environment |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    begun = time.monotonic()
    command = [*CONTAINER, "sh", "-c", SCRIPT, "sh", str(folder), *shlex.split(target)]
    with (folder / "log").open("w+b") as log:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False
        )
        if done.returncode != 0:
            log.seek(0)
            sys.stdout.write(log.read().decode(errors="replace"))
    print(f"fresh: make {target}: {done.returncode}, {time.monotonic() - begun:.0f} s", flush=True)
    for layer in ("upper", "work", "root"):
        shutil.rmtree(folder / layer)
    return done.returncode == 0


def settings_of_this_machine() -> Iterator[str]:
    """Where apt and pip find things here: their settings, and the files and folders that those name."""
    yield "/etc/resolv.conf"
    asked = [sys.executable, "-m", "pip", "config", "debug"]
    told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    for scheme, path in sorted(set(re.findall(r"(?<![:/\w])(file://)?(/[^\s',:]+)", told))):
        # An index (PEP 503) names what lies beside it.
        place = os.path.dirname(path) if scheme else path
        if os.path.exists(place):
            yield place


if __name__ == "__main__":
    sys.exit(main())
