"""The table of engines: their names, and which of them have to share a worker."""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet

# What shares a daemon or a store runs on one worker: xdist's groups see to it.
GROUPS = {
    "unshare": "namespaces",
    "bwrap": "namespaces",
    "nspawn": "nspawn",
    "nspawn-as-pid2": "nspawn",
    "runc": "oci",
    "crun": "oci",
    "podman": "podman",
    "podman-init": "podman",
    "docker": "docker",
    "docker-init": "docker",
}
# Those with a command that runs another process in a container, and those with one that stops or pauses it.
ENTERED = ("runc", "crun", "podman", "podman-init", "docker", "docker-init")
STOPPED = ("podman", "podman-init", "docker", "docker-init")


def engines(*names: str) -> list[ParameterSet]:
    """The parameters of the fixture `engine` for these engines; for all if none is named."""
    return [pytest.param(name, marks=pytest.mark.xdist_group(GROUPS[name]), id=name) for name in names or GROUPS]
