"""A Debian root file system with the programs in it, and containers on it that write to a layer of their own."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.commands import Word
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.types import Start
from tools.debian_root import debian_tar
from tools.tree import ROOT

PACKAGES = (
    "apache2",
    "busybox-static",
    "cron",
    "curl",
    "gunicorn",
    "haproxy",
    "libfcgi-bin",
    "nginx-light",
    "nodejs",
    "openssh-client",
    "openssh-server",
    "php8.2-fpm",
    "postgresql-15",
    "procps",
    "python3-celery",
    "redis-server",
    "runit",
    "supervisor",
    "tmux",
    "uwsgi-core",
    "uwsgi-plugin-python3",
)
PATIENCE = 60.0  # seconds; these programs start slowly on a busy machine
UNPACKED = ROOT / ".work" / "real"
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
# $1: the container's folder; $2: the root file system below its layer. Only what is mounted here is seen of it: the
# mount namespace is the container's own, and so is the network, which has a loopback device and no other.
SETUP = f"""\
set -eu
ip link set lo up
cd "$1"
mount -t overlay -o "lowerdir=$2,upperdir=upper,workdir=work" overlay root
mount -t tmpfs -o mode=755 tmpfs root/dev
mkdir root/dev/pts root/dev/shm
for device in {" ".join(DEVICES)}; do
    : >root/dev/$device
    mount --bind /dev/$device root/dev/$device
done
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts root/dev/pts
mount -t tmpfs -o mode=1777 tmpfs root/dev/shm
ln -s pts/ptmx root/dev/ptmx
ln -s /proc/self/fd root/dev/fd
ln -s fd/0 root/dev/stdin
ln -s fd/1 root/dev/stdout
ln -s fd/2 root/dev/stderr
root=$PWD/root
: >ready
shift 2
exec unshare --pid --fork --kill-child --mount-proc --root="$root" --wd=/ "$@"
"""


def unpacked() -> Path:
    """Return the root file system, which nobody may write to; unpack it first if that has not been done."""
    tar = debian_tar(PACKAGES)
    place = UNPACKED / tar.stem
    UNPACKED.mkdir(parents=True, exist_ok=True)
    with (UNPACKED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            for old in UNPACKED.glob("debian-*"):
                shutil.rmtree(old)
            fresh = UNPACKED / f"debian-{tar.stem}.unpacking"
            fresh.mkdir()
            subprocess.run(["tar", "-C", fresh, "-xf", tar], check=True)
            fresh.rename(place)
    return place


class End(NamedTuple):
    """How a container ended."""

    code: int
    seconds: float  # from the signal to the end
    stdout: str
    stderr: str


class Container:
    """A root file system with a writable layer, in which pyinit is started as PID 1, once or several times."""

    def __init__(self, start: Start, folder: Path, debian: Path, frozen: Path) -> None:
        self._start = start
        self._folder = folder
        self._debian = debian
        for name in ("upper", "work", "root"):
            (folder / name).mkdir()
        self.add("/pyinit", frozen.read_bytes(), 0o755)
        self._asked_at = 0.0

    def add(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file of the container before it is started; folders that are missing are made."""
        file = self._folder / "upper" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)

    def text(self, path: str) -> str:
        """Return what the container has written to a file; nothing if it is not there."""
        file = self._folder / "upper" / path.lstrip("/")
        return file.read_text(errors="replace") if file.exists() else ""

    def start(self, *words: Word, around: Sequence[str] = (), **how: Any) -> Init:
        """Start pyinit with these words as the container's PID 1; `around` are words that start unshare."""
        ready = self._folder / "ready"
        ready.unlink(missing_ok=True)
        setup = ["sh", "-c", SETUP, "sh", str(self._folder), str(self._debian)]
        place = [*around, "unshare", "--mount", "--net", *setup]
        self.init: Init = self._start(*words, program=["/pyinit"], place=place, **how)
        # Until then the children that there are mount something.
        until(lambda: ready.exists() or self.init.process.poll() is not None, "the container's mounts", PATIENCE)
        return self.init

    def client(self, *words: Word, **how: Any) -> Init:
        """Run a command with the container's files and network that is not one of its processes."""
        return self._start(*self._entering(), *words, program=(), place="subreaper", **how)

    def enter(self, *words: Word, **how: Any) -> Init:
        """Run a command as one more process of the container, as `docker exec` does."""
        return self._start(*self.entering(), *words, program=(), place="subreaper", **how)

    def entering(self) -> list[str]:
        """Return the words that start a command as a process of the container."""
        return [*self._entering(), "--pid"]

    def _entering(self) -> list[str]:
        """Return the words for all but the PID namespace; wait until there is something to enter."""
        program = f"{self._folder}/root/pyinit"
        until(lambda: os.readlink(f"/proc/{self.init.pid}/exe") == program, "pyinit in the container", PATIENCE)
        return ["nsenter", f"--target={self.init.pid}", "--net", "--mount", "--root", "--wdns=/"]

    def says(self, path: str, text: str) -> None:
        """Wait until a file of the container has this text in it."""
        until(lambda: text in self.text(path), lambda: f"{text!r} in {path}: {self.text(path)!r}", PATIENCE)

    def answers(self, *words: Word) -> str:
        """Run a client until it succeeds, which the server needs time for; return what it says."""

        def asked() -> tuple[str] | None:
            assert self.init.process.poll() is None, self.init.wait()
            outcome = self.client(*words).wait(PATIENCE)
            return (outcome.stdout,) if outcome.code == 0 else None

        return until(asked, f"an answer to {words}", PATIENCE)[0]

    def stop(self, number: int) -> None:
        """Send the stop signal to pyinit, as the container's engine does."""
        self._asked_at = time.monotonic()
        self.init.signal(number)

    def ended(self) -> End:
        """Wait for the container's end."""
        outcome = self.init.wait(PATIENCE)
        return End(outcome.code, time.monotonic() - self._asked_at, outcome.stdout, outcome.stderr)
