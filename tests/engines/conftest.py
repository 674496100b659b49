"""Fixtures of the engines' tests: the file, the images, each engine; nothing stays behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines.docker import Daemon, Docker, DockerInit
from tests.engines.engine import Engine
from tests.engines.images import BUSYBOX, bare_root, debian_root
from tests.engines.namespaces import Bubblewrap, Nspawn, NspawnAsPid2, Unshare
from tests.engines.oci import Crun, Runc
from tests.engines.podman import Podman, PodmanInit, PodmanStore
from tests.engines.support import cgroups, mounts, processes_that_name, until
from tests.engines.table import engines
from tests.support import cleanup
from tests.support.requirements import absent, need


@pytest.fixture(scope="session")
def storage() -> Iterator[Path]:
    """The folder of all that the engines write; afterwards nothing of theirs may be left."""
    folder = Path(tempfile.mkdtemp(prefix="pyinit-"))  # podman wants a path of few letters
    yield folder
    mark = f"pyinit-{os.getpid()}-"
    until(lambda: not processes_that_name(folder), "no process is left behind")
    assert [mount for mount in mounts() if str(folder) in mount] == []
    assert [group for group in cgroups() if group.name.startswith(mark)] == []
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def strays() -> Iterator[None]:
    """Let the engines' own orphans (shims, monitors) go to the machine's PID 1, as for a user.

    The tests' other processes are their children, so that none can hide; `storage` looks for these.
    """
    cleanup.adopt(False)
    yield
    cleanup.adopt()


@pytest.fixture(scope="session")
def bare(storage: Path, frozen: Path) -> Path:
    """A root file system of pyinit and static busybox alone."""
    if not BUSYBOX.exists():
        absent("busybox-static is not installed")
    return bare_root(storage / "bare", frozen)


@pytest.fixture(scope="session")
def podman_store(storage: Path, frozen: Path, bare: Path) -> Iterator[PodmanStore]:
    """A podman store with both images."""
    store = PodmanStore(storage / "podman", frozen, bare)
    yield store
    store.close()


@pytest.fixture(scope="session")
def daemon(storage: Path, frozen: Path, bare: Path) -> Iterator[Daemon]:
    """A docker daemon with both images, and pyinit as what --init means."""
    started = Daemon(storage / "docker", f"--init-path={frozen}")
    try:
        started.prepare(frozen, bare)
        yield started
    finally:
        started.close()


@pytest.fixture(scope="session")
def debian(storage: Path, frozen: Path) -> Path:
    """A root file system of Debian with pyinit, nginx and Python."""
    need("debootstrap")
    return debian_root(storage / "debian", frozen)


@pytest.fixture(scope="session")
def podman_debian(podman_store: PodmanStore, debian: Path) -> str:
    """The same as an image of podman's."""
    podman_store.add(debian, "debian:1")
    return "debian:1"


@pytest.fixture(scope="session")
def docker_debian(daemon: Daemon, debian: Path) -> str:
    """The same as an image of docker's."""
    daemon.add(debian, "debian:1")
    return "debian:1"


@pytest.fixture(params=engines("nspawn", "runc", "podman", "docker"))
def debian_engine(request: pytest.FixtureRequest, storage: Path) -> Engine:
    """Each of these engines in turn, with the Debian image."""
    name: str = request.param
    folder = storage / f"{name}-debian"
    if name == "podman":
        podman = Podman(folder, request.getfixturevalue("podman_store"))
        podman.image = request.getfixturevalue("podman_debian")
        return podman
    if name == "docker":
        docker = Docker(folder, request.getfixturevalue("daemon"))
        docker.image = request.getfixturevalue("docker_debian")
        return docker
    return (Runc if name == "runc" else Nspawn)(folder, request.getfixturevalue("debian"))


@pytest.fixture(params=engines())
def engine(request: pytest.FixtureRequest, storage: Path, bare: Path) -> Engine:
    """Each engine in turn."""
    name: str = request.param
    folder = storage / f"{name}-containers"
    bundled: dict[str, Callable[[Path, Path], Engine]] = {
        kind.name: kind for kind in (Unshare, Bubblewrap, Nspawn, NspawnAsPid2, Runc, Crun)
    }
    if name in bundled:
        return bundled[name](folder, bare)
    if name.startswith("podman"):
        kind = PodmanInit if name == PodmanInit.name else Podman
        return kind(folder, request.getfixturevalue("podman_store"))
    return (DockerInit if name == DockerInit.name else Docker)(folder, request.getfixturevalue("daemon"))
