"""`make docker-test`: the file is built in a container, tested alone in one, and its suite runs in one."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.requirements import need
from tests.support.wide import whole
from tools.tree import ROOT


@whole
@pytest.mark.xdist_group("docker-test")
def test_the_suite_passes_in_containers() -> None:
    """Everything of it has to be as it should; what it says is the failure's message."""
    need("debootstrap", "podman", "runc")
    done = subprocess.run(["make", "docker-test"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-8000:]}{done.stderr[-8000:]}"
    assert "containers of the bare image, 0 not as they should be" in done.stdout
