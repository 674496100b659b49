"""Fixtures of the engines' tests: the file, the images, each engine; and that nothing stays behind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines.docker import Daemon, Docker, DockerInit
from tests.engines.engine import Engine, cgroups, mounts
from tests.engines.images import BUSYBOX, bare_root
from tests.engines.namespaces import Bubblewrap, Nspawn, NspawnAsPid2, Unshare
from tests.engines.oci import Crun, Runc
from tests.engines.podman import Podman, PodmanInit, PodmanStore
from tests.engines.support import FROZEN, absent, until, words_of
from tests.engines.table import engines


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of all that the engines write; afterwards nothing of theirs may be left."""
    folder = tmp_path_factory.mktemp("engines")
    yield folder
    mark = f"pyinit-{os.getpid()}-"
    until(lambda: not processes_of(folder), "no process is left behind", 20)
    assert [mount for mount in mounts() if str(folder) in mount] == []
    assert [group for group in cgroups() if group.name.startswith(mark)] == []
    shutil.rmtree(folder)


def processes_of(folder: Path) -> list[list[str]]:
    """Return the command lines that name this folder."""
    lines = [words_of(int(name)) for name in os.listdir("/proc") if name.isdigit()]
    return [words for words in lines if any(str(folder) in word for word in words)]


@pytest.fixture(scope="session")
def frozen() -> Path:
    """The frozen file; engines get nothing else."""
    assert FROZEN.exists(), f"{FROZEN} is missing: make dist"
    return FROZEN


@pytest.fixture(scope="session")
def bare(place: Path, frozen: Path) -> Path:
    """A root file system of pyinit and static busybox alone."""
    if not BUSYBOX.exists():
        absent("busybox-static is not installed")
    return bare_root(place / "bare", frozen)


@pytest.fixture(scope="session")
def podman_store(place: Path, frozen: Path, bare: Path) -> Iterator[PodmanStore]:
    """A podman store with both images."""
    store = PodmanStore(place / "podman", frozen, bare)
    yield store
    store.close()


@pytest.fixture(scope="session")
def daemon(place: Path, frozen: Path, bare: Path) -> Iterator[Daemon]:
    """A docker daemon with both images, and pyinit as what --init means."""
    started = Daemon(place / "docker", f"--init-path={frozen}")
    try:
        started.prepare(frozen, bare)
        yield started
    finally:
        started.close()


@pytest.fixture(params=engines())
def engine(request: pytest.FixtureRequest, place: Path, bare: Path) -> Engine:
    """Each engine in turn."""
    name: str = request.param
    folder = place / f"{name}-containers"
    bundled: dict[str, Callable[[Path, Path], Engine]] = {
        kind.name: kind for kind in (Unshare, Bubblewrap, Nspawn, NspawnAsPid2, Runc, Crun)
    }
    if name in bundled:
        return bundled[name](folder, bare)
    if name.startswith("podman"):
        kind = PodmanInit if name == PodmanInit.name else Podman
        return kind(folder, request.getfixturevalue("podman_store"))
    return (DockerInit if name == DockerInit.name else Docker)(
        folder, request.getfixturevalue("daemon")
    )
