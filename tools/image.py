"""Makes dist/pyinit-oci.tar, a container image of the frozen file alone, without any container engine.

    python -m tools.image        prints the archive's path

The archive is an OCI image layout (podman, skopeo, buildah, containerd, docker from 25 on) and has docker's
own manifest.json beside it, which older dockers load. Two runs with the same frozen file give the same archive.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import tarfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from pyinit.version import VERSION
from tools.release import DIST, FROZEN, ReleaseError, frozen_output, moment
from tools.tree import ROOT

# Go's names for the machines, as image-spec's config.md wants them.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
NAME = "pyinit"
OCI = "application/vnd.oci.image"


class Layout:
    """The files of an OCI image layout, by name."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": encoded({"imageLayoutVersion": "1.0.0"})}

    def add(self, content: bytes, kind: str) -> dict[str, object]:
        """Add a blob of a media type; returns its descriptor (image-spec, descriptor.md)."""
        digest = hashlib.sha256(content).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = content
        return {"mediaType": f"{OCI}.{kind}", "digest": f"sha256:{digest}", "size": len(content)}


def main() -> int:
    """Make the archive and print its path."""
    try:
        print(make_image(DIST))
    except ReleaseError as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    return 0


def make_image(folder: Path) -> Path:
    """Make the archive in this folder and return its path; see ReleaseError."""
    output = frozen_output("--version")
    layer = packed({NAME: FROZEN.read_bytes()}, 0o755)
    layout = Layout()
    # Not compressed: the same bits whatever the zlib. What is pushed to a registry is compressed on the way.
    layer_descriptor = layout.add(layer, "layer.v1.tar")
    config_descriptor = layout.add(configuration(layer, labels(output)), "config.v1+json")
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": config_descriptor,
        "layers": [layer_descriptor],
        "annotations": labels(output),
    }
    tagged = {
        **layout.add(encoded(manifest), "manifest.v1+json"),
        # The first is what podman reads, the second is containerd's.
        "annotations": {
            "org.opencontainers.image.ref.name": f"{NAME}:latest",
            "io.containerd.image.name": f"docker.io/library/{NAME}:latest",
        },
    }
    index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [tagged]}
    layout.files["index.json"] = encoded(index)
    dockers = {"Config": blob(config_descriptor), "RepoTags": [f"{NAME}:latest"], "Layers": [blob(layer_descriptor)]}
    layout.files["manifest.json"] = encoded([dockers])
    archive = folder / f"{NAME}-oci.tar"
    archive.write_bytes(packed(layout.files, 0o644))
    return archive


def labels(version: str) -> dict[str, str]:
    """The image's labels (image-spec, annotations.md); `version` is what --version prints."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    labels = {
        "created": created(),
        "description": project["description"],
        "licenses": project["license"],
        "title": NAME,
        "version": VERSION,
    }
    _, _, commit = version.strip().partition(" - git.")
    if commit:
        labels["revision"] = commit
    return {f"org.opencontainers.image.{name}": labels[name] for name in sorted(labels)}


def configuration(layer: bytes, labels: dict[str, str]) -> bytes:
    """What a container of this image is started with (image-spec, config.md)."""
    machine = os.uname().machine
    if machine not in ARCHITECTURES:
        raise ReleaseError(f"{machine}: is no architecture known here; add it to ARCHITECTURES in tools/image.py")
    return encoded(
        {
            "architecture": ARCHITECTURES[machine],
            "os": "linux",
            "created": created(),
            "config": {"Entrypoint": [f"/{NAME}"], "Cmd": ["--help"], "WorkingDir": "/", "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
            "history": [{"created": created(), "created_by": f"COPY {NAME} /{NAME}"}],
        }
    )


def packed(files: dict[str, bytes], mode: int) -> bytes:
    """A tar of these files: root's, of the release's time, in the order of their names."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(files[name]), mode, moment()
            tar.addfile(entry, io.BytesIO(files[name]))
    return target.getvalue()


def encoded(value: object) -> bytes:
    """A value as JSON, always the same way."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def blob(descriptor: dict[str, object]) -> str:
    """The name of a blob's file in the layout."""
    return "blobs/" + str(descriptor["digest"]).replace(":", "/")


def created() -> str:
    """The release's time as RFC 3339 has it."""
    return datetime.fromtimestamp(moment(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    sys.exit(main())
