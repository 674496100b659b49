"""Builds Dockerfile.test with docker or podman and runs what it builds, without a network.

    python -m tools.docker_test PACKAGE...     the Debian packages that the base image needs

The bare image holds pyinit and static busybox alone: each of CASES is one container of it, judged from outside. The
suite image is Debian with the sources: pytest runs in it, under the pyinit that was built there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from freezing import cache

from tools.container_engine import Engine
from tools.debian_root import debian_tar
from tools.tree import ROOT, copied

WHEELS = ROOT / ".work" / "docker-test-wheels"
PINNED = [ROOT / "build/requirements.txt", *sorted((ROOT / "requirements").glob("*.txt"))]
OFFLINE = "/src/offline"  # as Dockerfile.test sees it
# Those parts of the suite that need no more than namespaces and strace: no cgroup of their own.
ELSEWHERE = ("--ignore=tests/pid1/test_oom.py",)
SUITE = ("tests/unit", "tests/pid1", *ELSEWHERE, "-k", "frozen or unit", "-n", "2")
PATIENCE = 120  # seconds that one container of CASES may take
# Ends when all orphans are gone, which zombies never are.
ORPHANS = """\
for i in 1 2 3 4 5; do (sleep 0.01 & echo $! >>/tmp/orphans); done
for pid in $(cat /tmp/orphans); do while [ -d /proc/$pid ]; do sleep 0.01; done; done
"""
# The payload ends when the other one is ready.
LEAVES = """\
sh -c "trap 'echo finished; exit' TERM; sleep 99 & echo >/tmp/ready; wait" &
until [ -e /tmp/ready ]; do sleep 0.01; done
"""
WAITS = "trap 'echo stopping; exit 5' TERM; sleep 99 & echo ready; wait"


class Case(NamedTuple):
    """One container of the bare image: what is run, and what a user must see of it."""

    name: str
    words: Sequence[str]
    code: int
    output: str = ""
    error: str = ""  # what the one line on standard error begins with; empty: there is none
    options: Sequence[str] = ()  # the engine's, for this container
    stop: str = ""  # send this signal when the container has said "ready"


CASES = (
    Case("exit code", ["sh", "-c", "exit 7"], 7),
    Case("killed by TERM", ["sh", "-c", "kill -TERM $$"], 143),
    Case("killed by a real-time signal", ["sh", "-c", "kill -40 $$"], 168),
    Case("missing program", ["no-such", "x"], 127, error="pyinit: no-such: "),
    Case("directory", ["/bin"], 126, error="pyinit: /bin: "),
    Case("arguments", ["sh", "-c", 'echo "$1|$2|$3"', "-", "", "-g", "a b"], 0, "|-g|a b\n"),
    Case("parent is PID 1", ["sh", "-c", "echo $PPID; readlink /proc/1/exe"], 0, "1\n/pyinit\n"),
    Case("orphans", ["sh", "-c", ORPHANS], 0),
    Case("what is left may finish", ["sh", "-c", LEAVES], 0, "finished\n"),
    Case("TERM handled", ["sh", "-c", WAITS], 5, "ready\nstopping\n", stop="TERM"),
    Case("HUP", ["sh", "-c", "echo ready; exec sleep 99"], 129, "ready\n", stop="HUP"),
    Case("real-time signal", ["sh", "-c", "echo ready; exec sleep 99"], 168, "ready\n", stop="40"),
    Case("remapped", ["sh", "-c", "exit 143"], 0, options=["--env=PYINIT_OPTIONS=-e 143"]),
    Case("read-only", ["sh", "-c", "echo runs"], 0, "runs\n", options=["--read-only"]),
    Case("no capabilities", ["sh", "-c", "echo runs"], 0, "runs\n", options=["--cap-drop=ALL"]),
    Case("another user", ["id", "-u"], 0, "1000\n", options=["--user=1000:1000"]),
)


def main() -> int:
    """Build, run, and say how it went; 1 if anything failed."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="pyinit-", dir="/tmp") as name:
        folder = Path(name)
        engine = Engine(folder)
        try:
            arguments = [f"BASE={base(engine)}", "PACKAGES=", "PIP_NO_INDEX=1"]
            arguments += [f"PIP_FIND_LINKS={OFFLINE}/wheels", f"XDG_CACHE_HOME={OFFLINE}/cache"]
            context = gathered(folder / "context")
            say("building the file, and the bare image")
            bare = engine.build(context, "bare", arguments)
            failed += sum(not tried(engine, bare, case) for case in CASES)
            say(f"{len(CASES)} containers of the bare image, {failed} not as they should be")
            say("building the suite's image")
            suite = engine.build(context, "suite", arguments)
            say(f"the suite in it: pytest {' '.join(SUITE)}")
            run_it = ["run", "--rm", "--network=none", *engine.privileges(), suite, *SUITE]
            failed += subprocess.run([*engine.client, *run_it], check=False).returncode != 0
        finally:
            engine.close()
    return min(failed, 1)


def base(engine: Engine) -> str:
    """Make the base image out of Debian's packages, from this machine's own mirror."""
    tar = debian_tar(sys.argv[1:])
    say("importing the base image")
    engine.do("import", tar, engine.image("base"))
    return engine.image("base")


def gathered(context: Path) -> Path:
    """Copy the sources, and what the stages would otherwise fetch; returns the folder."""
    copied(context)
    if (ROOT / ".git").is_dir():
        shutil.copytree(ROOT / ".git", context / ".git")
    offline = context / "offline"
    shutil.copytree(wheels(), offline / "wheels")
    kept = cache.folder()
    # A build here, unless there has been one, fetches the sources; tests may be using what it made.
    if not (kept / "sources").is_dir():
        subprocess.run(["make", "-C", ROOT, "dist"], check=True)
    shutil.copytree(kept / "sources", offline / "cache" / "pyinit" / "sources")
    # CPython compiled: of several, the last is this machine's present compiler's.
    for archive in sorted(kept.glob("cpython-*.tar"), key=os.path.getmtime)[-1:]:
        for file in (archive, Path(f"{archive}.sha256")):
            shutil.copy(file, offline / "cache" / "pyinit")
    return context


def wheels() -> Path:
    """A folder of all that pip installs in the stages; filled now if its inputs changed."""
    key = hashlib.sha256(b"".join(path.read_bytes() for path in PINNED)).hexdigest()
    stamp = WHEELS / "stamp"
    if stamp.exists() and stamp.read_text() == key:
        return WHEELS
    say("collecting wheels")
    shutil.rmtree(WHEELS, ignore_errors=True)
    download = [sys.executable, "-m", "pip", "--quiet", "download", "--dest", str(WHEELS)]
    download += ["--require-hashes", "--no-deps", "--no-build-isolation"]
    for path in PINNED:
        subprocess.run([*download, "--requirement", str(path)], check=True)
    stamp.write_text(key)
    return WHEELS


def tried(engine: Engine, image: str, case: Case) -> bool:
    """Run one case and say so if it is not as it should be."""
    name = f"{engine.prefix}-{case.name.replace(' ', '-')}"
    run_it = ["run", "--rm", "--network=none", f"--name={name}", *case.options, image, *case.words]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        client = subprocess.Popen([*engine.client, *run_it], stdout=out, stderr=err)
        try:
            if case.stop and said(client, out.fileno(), b"ready\n"):
                engine_kill = [*engine.client, "kill", f"--signal={case.stop}", name]
                subprocess.run(engine_kill, check=True, capture_output=True)
            code = ended(client)
        finally:
            if client.poll() is None:
                subprocess.run([*engine.client, "rm", "--force", name], check=False)
                client.kill()
                client.wait()
        output, error = (os.pread(file.fileno(), 65536, 0).decode() for file in (out, err))
    lines = error.splitlines()
    right = len(lines) == bool(case.error) and error.startswith(case.error)
    if (code, output) == (case.code, case.output) and right:
        return True
    say(f"{case.name}: {code}, {output!r}, {error!r}; should be {case.code}, {case.output!r}")
    return False


def ended(client: subprocess.Popen[bytes]) -> int | None:
    """Wait for a container's end and return its exit code; None if it takes too long."""
    try:
        return client.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return None


def said(client: subprocess.Popen[bytes], descriptor: int, text: bytes) -> bool:
    """Wait until the container has said this; False if it has ended or takes too long."""
    end = time.monotonic() + PATIENCE
    while text not in os.pread(descriptor, 65536, 0):
        if client.poll() is not None or time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def say(text: str) -> None:
    """Print a line of our own."""
    print(f"docker-test: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
