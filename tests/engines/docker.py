"""docker, with a daemon of its own: as the image's entrypoint, and with --init."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.engines.images import ENTRYPOINT, context, packed
from tests.engines.support import run, until
from tests.engines.with_client import WithClient
from tests.support.requirements import need


class Daemon:
    """A dockerd in a mount namespace of its own, without network, that ends with the tests."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Start it with these options and wait until it answers; some seconds."""
        need("dockerd", "docker", "runc")
        folder.mkdir(parents=True)
        self.folder = folder
        self.socket = folder / "socket"
        self.log = folder / "log"
        places = [f"--data-root={folder}/data", f"--exec-root={folder}/exec"]
        places += [f"--pidfile={folder}/pid", f"--host=unix://{self.socket}"]
        no_network = ["--iptables=false", "--ip6tables=false", "--bridge=none"]
        # Should the tests be killed, the kernel asks the daemon to end.
        bound = ["setpriv", "--pdeathsig", "TERM", "unshare", "--mount"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*bound, "dockerd", *places, *no_network, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(folder)},
            )
        try:
            until(self.answers, f"dockerd answers; {self.log}")
        except BaseException:
            self.close()
            raise

    def answers(self) -> bool:
        """Whether the daemon answers; an error if it has ended instead."""
        assert self.process.poll() is None, self.log.read_text()
        return run(*self.client("version"), check=False).returncode == 0

    def client(self, *words: str) -> list[str]:
        """A command line of docker's client."""
        # Debian's, that fits the daemon: another one on PATH may lack what it needs to build.
        debian = "/usr/bin/docker"
        docker = debian if os.access(debian, os.X_OK) else "docker"
        settings = ["env", f"DOCKER_CONFIG={self.folder}", "DOCKER_BUILDKIT=1"]
        return [*settings, docker, f"--host=unix://{self.socket}", *words]

    def do(self, *words: str) -> str:
        """Run a command of docker to its end and return what it says on standard output."""
        return run(*self.client(*words)).stdout

    def prepare(self, init: Path, root: Path) -> None:
        """Import and build the images; `root` is the bare root file system."""
        self.add_bare(root)
        made = context(self.folder / "context", init)
        self.do("build", "--network=none", "--tag=entry:1", str(made))

    def add_bare(self, root: Path) -> None:
        """Import the bare root file system as an image without an entrypoint."""
        self.do("import", str(packed(root, self.folder / "bare.tar")), "bare:1")

    def add(self, root: Path, image: str) -> None:
        """Make an image of a root file system, with pyinit as its entrypoint."""
        tar = packed(root, self.folder / "added.tar")
        self.do("import", "--change", ENTRYPOINT, str(tar), image)
        tar.unlink()

    def close(self) -> None:
        """Remove all containers, end the daemon, and remove what it wrote."""
        left = run(*self.client("ps", "--all", "--quiet"), check=False).stdout.split()
        if left:
            run(*self.client("rm", "--force", *left), check=False)
        self.process.terminate()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Docker(WithClient):
    """An image that `docker build` made, with pyinit as its entrypoint."""

    name = "docker"
    to_run = ("--network=none",)

    def __init__(self, folder: Path, daemon: Daemon) -> None:
        """Run containers on this daemon."""
        super().__init__(folder, daemon)
        self.daemon = daemon


class DockerInit(Docker):
    """`docker run --init`: docker mounts pyinit into an image that knows nothing of it."""

    name = "docker-init"
    options = ("--init",)
    image = "bare:1"
