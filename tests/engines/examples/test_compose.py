"""The compose file in examples/: `init: true` means pyinit, and stopping takes no KILL."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.docker import Daemon
from tests.engines.support import run, until
from tests.engines.table import GROUPS
from tests.support.procfs import children, command
from tests.support.requirements import need
from tools.tree import ROOT

pytestmark = pytest.mark.xdist_group(GROUPS["docker"])
FILES = ROOT / "examples" / "compose"
# The tests' daemon has no network to offer.
OVERRIDE = "services: {web: {network_mode: none}}\n"


class Compose:
    """Debian's docker-compose, on the tests' daemon, with the example's file."""

    def __init__(self, daemon: Daemon, folder: Path) -> None:
        """Use this folder for what it needs beside the example."""
        need("docker-compose")
        self.override = folder / "override.yaml"
        self.override.write_text(OVERRIDE)
        self.host = f"DOCKER_HOST=unix://{daemon.socket}"

    def do(self, *words: str) -> str:
        """Run a command of compose to its end and return what it says on standard output."""
        files = [f"--file={FILES / 'compose.yaml'}", f"--file={self.override}"]
        return run("env", self.host, "docker-compose", "--project-name=example", *files, *words).stdout


@pytest.fixture
def compose(stocked: Daemon, tmp_path: Path) -> Iterator[Compose]:
    """The example's project; removed afterwards."""
    made = Compose(stocked, tmp_path)
    yield made
    made.do("down", "--timeout=0")


def test_init_true_means_pyinit(compose: Compose, stocked: Daemon, frozen: Path) -> None:
    """PID 1 is the very file; its payload, which handles no TERM, ends by it when the project is stopped."""
    compose.do("up", "--detach")
    [name] = compose.do("ps", "--quiet").split()
    init = int(stocked.do("inspect", "--format={{.State.Pid}}", name))
    # `up` returns while the runtime is still about to become the init.
    until(lambda: os.path.samestat(os.stat(f"/proc/{init}/exe"), frozen.stat()), "PID 1 is the frozen file")
    until(lambda: [command(child)[:2] for child in children(init)] == [["busybox", "httpd"]], "the payload runs")
    compose.do("stop")
    # 143, which PYINIT_OPTIONS has made 0; after KILL it would be 137.
    assert stocked.do("inspect", "--format={{.State.Status}} {{.State.ExitCode}}", name) == "exited 0\n"


def test_the_daemons_file_names_an_option_of_the_daemons() -> None:
    """dockerd's file has its options' names as keys; the package installs what it names."""
    need("dockerd")
    settings = json.loads((FILES / "daemon.json").read_text())
    assert settings == {"init-path": "/usr/bin/pyinit"}
    assert "--init-path" in run("dockerd", "--help").stdout
