"""podman, with storage of its own: as the image's entrypoint, and with --init."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.engines.images import ENTRYPOINT, context, packed
from tests.engines.support import run
from tests.engines.with_client import WithClient
from tests.support.requirements import need

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
        """A command line of podman's client."""
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


class Podman(WithClient):
    """An image that `podman build` made, with pyinit as its entrypoint."""

    name = "podman"
    to_remove = ("--time=0", "--ignore")

    def __init__(self, folder: Path, store: PodmanStore) -> None:
        """Run containers from this store."""
        super().__init__(folder, store)
        self.store = store


class PodmanInit(Podman):
    """`podman run --init`: podman mounts pyinit into an image that knows nothing of it."""

    name = "podman-init"
    options = ("--init",)
    image = "bare:1"
    # As /run/podman-init pyinit takes catatonit's place, and its exit codes.
    not_found, not_executable = 1, 1
