"""The image archive: the same bits twice, what it promises about itself, and both engines take it and build on it."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from pyinit.version import VERSION
from tests.engines.docker import Daemon
from tests.engines.podman import PodmanStore
from tests.engines.support import run
from tests.engines.table import GROUPS
from tests.support.requirements import frozen_file
from tools.image import make_image

PREFIX = "org.opencontainers.image."
# As a user's would be; busybox stands for what else is in it.
DOCKERFILE = """\
FROM bare:1
COPY --from=pyinit /pyinit /sbin/init
ENTRYPOINT ["/sbin/init", "-g", "--"]
"""
CLIENTS = [pytest.param(name, marks=pytest.mark.xdist_group(GROUPS[name]), id=name) for name in ("podman", "docker")]


@pytest.fixture(scope="session")
def archive(storage: Path) -> Path:
    """The image archive, made now."""
    frozen_file()  # what it is made of
    folder = storage / "image"
    folder.mkdir()
    return make_image(folder)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Daemon | PodmanStore:
    """podman and docker in turn."""
    store: Daemon | PodmanStore = request.getfixturevalue("podman_store" if request.param == "podman" else "daemon")
    return store


def contents(archive: Path) -> dict[str, bytes]:
    """The files of a tar by name."""
    with tarfile.open(archive) as tar:
        files = {entry.name: tar.extractfile(entry) for entry in tar}
        return {name: file.read() for name, file in files.items() if file}


def test_two_builds_of_the_image_are_the_same(archive: Path, tmp_path: Path) -> None:
    """No clock is in it."""
    assert make_image(tmp_path).read_bytes() == archive.read_bytes()


def test_every_blob_of_the_image_is_what_its_name_says(archive: Path) -> None:
    """An engine may refuse an image whose hashes are wrong; docker 20.10 does not look at all of them."""
    files = contents(archive)
    blobs = {name for name in files if name.startswith("blobs/sha256/")}
    assert {name for name in blobs if hashlib.sha256(files[name]).hexdigest() == name.rpartition("/")[2]} == blobs
    assert set(files) - blobs == {"oci-layout", "index.json", "manifest.json"}

    def named(digest: str) -> bytes:
        return files["blobs/" + digest.replace(":", "/")]

    [tagged] = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(named(tagged["digest"]))
    config = json.loads(named(manifest["config"]["digest"]))
    [layer] = manifest["layers"]
    assert [layer["digest"]] == config["rootfs"]["diff_ids"]
    for descriptor in (tagged, manifest["config"], layer):
        assert len(named(descriptor["digest"])) == descriptor["size"]


def test_the_file_is_alone_in_the_image(archive: Path, frozen: Path, tmp_path: Path) -> None:
    """FROM scratch: one layer with one file, root's and executable."""
    files = contents(archive)
    [image] = json.loads(files["manifest.json"])
    [layer] = image["Layers"]
    (tmp_path / "layer").write_bytes(files[layer])
    with tarfile.open(tmp_path / "layer") as tar:
        [entry] = tar.getmembers()
    assert (entry.name, entry.mode, entry.uid, entry.gid) == ("pyinit", 0o755, 0, 0)
    assert contents(tmp_path / "layer") == {"pyinit": frozen.read_bytes()}


def test_an_engine_loads_the_image_with_its_labels(archive: Path, client: Daemon | PodmanStore, frozen: Path) -> None:
    """Under the name that Dockerfiles use, without another word."""
    client.do("load", "--input", str(archive))
    labels = json.loads(client.do("inspect", "--type=image", "--format={{json .Config.Labels}}", "pyinit:latest"))
    assert labels[f"{PREFIX}title"] == "pyinit"
    assert labels[f"{PREFIX}version"] == VERSION
    assert labels[f"{PREFIX}licenses"] == "GPL-3.0-or-later"
    assert labels[f"{PREFIX}description"]
    # The commit is the file's own word.
    version = run(frozen, "--version").stdout
    assert version.endswith(f" - git.{labels.get(f'{PREFIX}revision')}\n") or f"{PREFIX}revision" not in labels
    assert client.do("run", "--rm", "--network=none", "pyinit", "--version") == version


def test_a_dockerfile_copies_pyinit_from_it(archive: Path, client: Daemon | PodmanStore, tmp_path: Path) -> None:
    """`COPY --from=pyinit`, as README says."""
    client.do("load", "--input", str(archive))
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    client.do("build", "--network=none", "--tag=copied", str(tmp_path))
    assert client.do("run", "--rm", "--network=none", "copied", "sh", "-c", "echo $PPID; readlink /proc/1/exe") == (
        "1\n/sbin/init\n"
    )
