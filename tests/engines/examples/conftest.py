"""What the examples' images are made from: Debian and pyinit, as a user's docker would have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.docker import Daemon
from tools.image import make_image

# What the examples install is there already. Without this apt would try for seconds to reach its mirror.
DEBIAN = """\
FROM {image}
RUN rm -rf /etc/apt/sources.list /etc/apt/sources.list.d
"""


@pytest.fixture(scope="session")
def stocked(daemon: Daemon, docker_debian: str, storage: Path) -> Daemon:
    """The daemon with the images that the examples name; nothing can be pulled here."""
    folder = storage / "examples"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DEBIAN.format(image=docker_debian))
    daemon.do("build", "--network=none", "--tag=debian:bookworm-slim", str(folder))
    daemon.do("tag", "bare:1", "busybox")
    daemon.do("load", "--input", str(make_image(folder)))
    return daemon
