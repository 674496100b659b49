"""podman, with storage of its own: as the image's entrypoint, and with --init."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.engines.engine import Container, Engine
from tests.engines.images import ENTRYPOINT, context, packed
from tests.engines.support import run
from tests.needed import need

# Debian's hard limits may be lower than what podman asks for by default, and there is no network.
CONFIGURATION = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
log_driver = "k8s-file"
{containers}
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
"""


class PodmanStore:
    """A podman of the tests' own: its images, its containers, its configuration."""

    def __init__(self, folder: Path, init: Path, root: Path) -> None:
        """Import and build the images; `root` is the bare root file system."""
        need("podman", "runc")
        folder.mkdir(parents=True)
        self.folder = folder
        self.init = init
        self.configuration = folder / "containers.conf"
        # As a user would set it, so that --init alone means pyinit.
        self.configuration.write_text(CONFIGURATION.format(containers=f'init_path = "{init}"\n'))
        self.do("import", str(packed(root, folder / "bare.tar")), "bare:1")
        self.do("build", "--tag", "entry:1", str(context(folder / "context", init)))

    def client(self, *words: str) -> list[str]:
        """Return a command line of podman's client."""
        place = self.folder
        stores = [
            "--root",
            f"{place}/root",
            "--runroot",
            f"{place}/run",
            "--tmpdir",
            f"{place}/tmp",
        ]
        return ["env", f"CONTAINERS_CONF={self.configuration}", "podman", *stores, *words]

    def do(self, *words: str) -> str:
        """Run a command of podman to its end and return what it says."""
        return run(*self.client(*words)).stdout

    def add(self, root: Path, image: str) -> None:
        """Make an image of a root file system, with pyinit as its entrypoint."""
        tar = packed(root, self.folder / "added.tar")
        self.do("import", "--change", ENTRYPOINT, str(tar), image)
        tar.unlink()

    def close(self) -> None:
        """Remove all containers, images and mounts."""
        run(*self.client("rm", "--all", "--force", "--time", "0"), check=False)
        # podman keeps its storage folder mounted on itself.
        run("umount", self.folder / "root" / "overlay", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class Podman(Engine):
    """An image that `podman build` made, with pyinit as its entrypoint."""

    name = "podman"
    options: tuple[str, ...] = ()
    image = "entry:1"

    def __init__(self, folder: Path, store: PodmanStore) -> None:
        """Run containers from this store."""
        super().__init__(folder)
        self.store = store

    def command(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """Return podman's command line; see Engine."""
        assigned = [f"--env={key}={value}" for key, value in environment.items()]
        run_it = ["run", "--rm", "--interactive", f"--name={name}", *assigned, *self.options]
        return self.store.client(*run_it, self.image, *words)

    def find_init(self, container: Container) -> int:
        """Ask the engine."""
        asked = self.store.client("inspect", "--format={{.State.Pid}}", container.name)
        return int(run(*asked, check=False).stdout.strip() or 0)

    def send(self, container: Container, number: int) -> None:
        """Use the engine's own command."""
        self.store.do("kill", f"--signal={number}", container.name)

    def stop(self, container: Container, seconds: int = 50) -> None:
        """Use the engine's own command; it sends KILL after this time."""
        self.store.do("stop", f"--time={seconds}", container.name)

    def enter(self, container: Container, words: Sequence[str]) -> None:
        """Use the engine's own command."""
        self.store.do("exec", container.name, *words)

    def remove(self, name: str) -> None:
        """Kill and forget the container if the engine still knows it."""
        run(*self.store.client("rm", "--force", "--time=0", "--ignore", name), check=False)


class PodmanInit(Podman):
    """`podman run --init`: podman mounts pyinit into an image that knows nothing of it."""

    name = "podman-init"
    options = ("--init",)
    image = "bare:1"
    # As /run/podman-init pyinit takes catatonit's place, and its exit codes.
    not_found, not_executable = 1, 1
