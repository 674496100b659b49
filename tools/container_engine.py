"""docker or podman, whichever is there, for images and containers of our own that go when it is closed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# Debian's limits may be lower than what podman asks for, and there is no network.
PODMAN = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
"""


class Engine:
    """docker if its daemon answers, otherwise podman with a store of its own in a folder."""

    def __init__(self, folder: Path) -> None:
        """Choose one; exits with a message if there is neither."""
        self.store = folder / "store"
        self.is_docker = answers("docker", "info")
        # So that nothing of ours is taken for the user's, and two runs do not meet.
        self.prefix = f"pyinit-test-{os.getpid()}"
        if self.is_docker:
            self.client = ["docker"]
            return
        if shutil.which("podman") is None:
            sys.exit("docker-test: no docker daemon answers and there is no podman; install podman")
        self.store.mkdir()
        settings = self.store / "containers.conf"
        settings.write_text(PODMAN)
        stores = ["--root", f"{self.store}/root", "--runroot", f"{self.store}/run"]
        self.client = ["env", f"CONTAINERS_CONF={settings}", "podman", *stores]
        self.client += ["--tmpdir", f"{self.store}/tmp"]

    def image(self, name: str) -> str:
        """The full name of one of our images."""
        return f"{self.prefix}-{name}:1"

    def do(self, *words: str | Path) -> None:
        """Run a command of the engine's; what it says is shown only if it fails."""
        done = subprocess.run([*self.client, *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{done.stdout}{done.stderr}docker-test: {words[0]} failed, see above")

    def build(self, context: Path, stage: str, arguments: Sequence[str]) -> str:
        """Build one stage of Dockerfile.test and return its image."""
        options = ["--network=none", "--target", stage, "--tag", self.image(stage)]
        given = [word for each in arguments for word in ("--build-arg", each)]
        self.do("build", "--quiet", *options, *given, "--file", context / "Dockerfile.test", context)
        return self.image(stage)

    def privileges(self) -> list[str]:
        """The options with which namespaces and strace work in a container."""
        visible = "systempaths=unconfined" if self.is_docker else "unmask=ALL"
        capabilities = ["--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE", "--cap-add=SYS_TIME"]
        return [*capabilities, "--security-opt=seccomp=unconfined", f"--security-opt={visible}"]

    def close(self) -> None:
        """Remove our images, and with podman all of the store."""
        if self.is_docker:
            images = [self.image(name) for name in ("bare", "suite", "base")]
            subprocess.run([*self.client, "rmi", "--force", *images], capture_output=True, check=False)
            return
        subprocess.run([*self.client, "rm", "--all", "--force", "--time=0"], check=False)
        # podman keeps this mounted on itself.
        mounted = f"{self.store}/root/overlay"
        if os.path.ismount(mounted):
            subprocess.run(["umount", mounted], check=False)
        shutil.rmtree(self.store)


def answers(*words: str) -> bool:
    """Whether a command can be run and succeeds."""
    try:
        return subprocess.run(words, capture_output=True, timeout=20, check=False).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
