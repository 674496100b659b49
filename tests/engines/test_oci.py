"""An OCI runtime's steps one by one, as containerd and CRI-O take them: create, start, exec, kill."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.engines.oci import Crun, Runc
from tests.engines.support import run, until
from tests.support import cleanup

pytestmark = pytest.mark.xdist_group("oci")
# It says by a file that it is ready: its streams are the container's own.
HANDLES_TERM = "trap 'exit 5' TERM; echo >/run/ready; while :; do sleep 0.05; done"


@pytest.fixture(params=[Runc, Crun], ids=["runc", "crun"])
def runtime(request: pytest.FixtureRequest, storage: Path, bare: Path) -> Runc:
    """Each runtime; what it starts becomes our child, as it becomes containerd's shim's."""
    # Fixtures that are used unasked come first: `strays` has let go of them by now.
    cleanup.adopt()
    kind: type[Runc] = request.param
    return kind(storage / f"{kind.name}-steps", bare)


def created(runtime: Runc, name: str, *words: str) -> int:
    """Create a container and return the pid of what will become pyinit."""
    bundle = runtime.bundle(name, words, {})
    null = subprocess.DEVNULL
    create = runtime.client("create", "--bundle", str(bundle), name)
    # Our pipes would stay open in the container.
    subprocess.run(create, stdin=null, stdout=null, stderr=null, check=True, timeout=60)
    state = runtime.state(name)
    assert state["status"] == "created"
    return int(state["pid"])


def test_create_start_exec_kill(runtime: Runc) -> None:
    """Between each of them the runtime says what it should; the payload's code comes out."""
    name = f"pyinit-{os.getpid()}-steps"
    try:
        init = created(runtime, name, "sh", "-c", HANDLES_TERM)
        run(*runtime.client("start", name))
        assert runtime.state(name)["status"] == "running"
        until(Path(f"/proc/{init}/root/run/ready").exists, "the payload is ready")
        entered = run(*runtime.client("exec", name, "sh", "-c", "readlink /proc/1/exe; exit 3"), check=False)
        assert (entered.returncode, entered.stdout) == (3, "/pyinit\n")
        run(*runtime.client("kill", name, "TERM"))
        assert os.waitstatus_to_exitcode(os.waitpid(init, 0)[1]) == 5
        assert runtime.state(name)["status"] == "stopped"
    finally:
        runtime.remove(name)
