"""Engines that run an OCI bundle: runc and crun."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.engines.engine import Container, Engine
from tests.engines.images import INIT
from tests.engines.support import run, until
from tests.support.requirements import need

PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
# Those of docker's that a daemon needs which changes its user, as nginx does.
CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"]
# A bundle's configuration, as OCI's JSON has it.
Configuration = dict[str, Any]


class Runc(Engine):
    """runc, by itself."""

    name = "runc"

    def __init__(self, folder: Path, root: Path) -> None:
        """Run containers on this root file system."""
        super().__init__(folder)
        self.root = root
        self.states = folder / "states"
        self.change: Callable[[Configuration], None] = lambda _: None

    def client(self, *words: str) -> list[str]:
        """A command line of the engine's client."""
        need("runc")
        return ["runc", "--root", str(self.states), *words]

    def command(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """Write the bundle and return the command that runs it."""
        bundle = self.bundle(name, words, environment)
        return self.client("run", "--bundle", str(bundle), name)

    def bundle(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> Path:
        """Write a bundle that runs these words under pyinit; returns its folder."""
        need("runc")
        folder = self.folder / name / "bundle"
        folder.mkdir(parents=True)
        run("runc", "spec", "--bundle", folder)
        file = folder / "config.json"
        configuration: Configuration = json.loads(file.read_text())
        configuration["root"] = {"path": str(self.root), "readonly": True}
        configuration["process"]["terminal"] = False
        configuration["process"]["args"] = [*INIT, *words]
        configuration["process"]["env"] = [PATH, *(f"{k}={v}" for k, v in environment.items())]
        for kind in ("bounding", "effective", "permitted"):
            configuration["process"]["capabilities"][kind] = CAPABILITIES
        configuration["mounts"] += [
            {"destination": place, "type": "tmpfs", "source": "tmpfs"} for place in ("/run", "/tmp")
        ]
        self.change(configuration)
        file.write_text(json.dumps(configuration))
        return folder

    def state(self, name: str) -> Configuration:
        """What the engine says of a container; empty if it knows none of this name."""
        said = run(*self.client("state", name), check=False)
        return json.loads(said.stdout) if said.returncode == 0 else {}

    def find_init(self, container: Container) -> int:
        """Ask the engine."""
        state = self.state(container.name)
        return int(state["pid"]) if state.get("status") == "running" else 0

    def send(self, container: Container, number: int) -> None:
        """Use the engine's own command."""
        self._await(container)
        run(*self.client("kill", container.name, str(number)))

    def enter(self, container: Container, words: Sequence[str]) -> None:
        """Use the engine's own command."""
        self._await(container)
        run(*self.client("exec", container.name, *words))

    def _await(self, container: Container) -> None:
        # crun writes down what it knows of a container only after its payload has been started.
        until(lambda: self.find_init(container), "a container that its engine knows")

    def remove(self, name: str) -> None:
        """Kill and forget the container if the engine still knows it."""
        run(*self.client("delete", "--force", name), check=False)


class Crun(Runc):
    """crun; podman's default."""

    name = "crun"

    def client(self, *words: str) -> list[str]:
        """A command line of the engine's client."""
        need("crun")
        # crun takes a half-used cgroup v2 next to v1 for a machine of v2: hide it from crun alone.
        hidden = '! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified;exec crun "$@"'
        client = ["crun", "--root", str(self.states), *words]
        return ["unshare", "--mount", "sh", "-c", hidden, *client]
