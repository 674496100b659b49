"""The systemd unit in examples/: its own command line, and what the service manager hears from it."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
from pathlib import Path

import pytest

from tests.engines.engine import Container
from tests.engines.examples.network import connect, receive
from tests.engines.namespaces import Nspawn
from tests.engines.support import PATIENCE, run
from tests.engines.table import GROUPS
from tests.support.requirements import need
from tools.tree import ROOT

pytestmark = pytest.mark.xdist_group(GROUPS["nspawn"])
FILES = ROOT / "examples" / "nspawn"
UNIT = FILES / "web.service"


def setting(name: str) -> str:
    """The unit's only value of this name, as systemd reads it: lines that end with a backslash go on."""
    text = UNIT.read_text().replace("\\\n", " ")
    [value] = re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)
    return str(value)


class Unit(Nspawn):
    """What systemd would start for the unit, where its root is the one that the unit names."""

    name = "unit"

    def __init__(self, folder: Path, root: Path, notify: Path) -> None:
        """`notify` is the service manager's socket."""
        super().__init__(folder, root)
        self.notify = notify

    def command(self, *_: object) -> list[str]:
        """The unit's ExecStart, in namespaces of its own; see Engine."""
        need("systemd-nspawn")
        view = (
            "mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib/machines && "
            'mkdir /var/lib/machines/web && mount --bind "$1" /var/lib/machines/web && shift && exec "$@"'
        )
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", view, "sh"]
        started = [str(self.root), *shlex.split(setting("ExecStart"))]
        return ["env", f"NOTIFY_SOCKET={self.notify}", *apart, *started]


def heard(manager: socket.socket, line: str) -> list[str]:
    """The lines that the service manager gets, up to the message with this one."""
    lines: list[str] = []
    while line not in lines:
        lines += manager.recv(4096).decode().splitlines()
    return lines


def test_the_unit_is_ready_when_its_payload_says_so(debian: Path, tmp_path: Path) -> None:
    """READY comes through nspawn from PID 1, which has it from the payload: from then on it listens."""
    assert setting("Type") == "notify"
    shutil.copy(FILES / "web.py", debian)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(PATIENCE)
        manager.bind(str(tmp_path / "notify"))
        unit = Unit(tmp_path / "unit", debian, tmp_path / "notify")
        with unit.container() as container:
            heard(manager, "READY=1")
            # Not awaited: it is ready.
            with connect(container, 8000) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert receive(connection).endswith(b"\r\n\r\nserved from a container\n")
            stop(container)
            heard(manager, "STOPPING=1")
            assert container.wait() == 0


def stop(container: Container) -> None:
    """Do what `systemctl stop` does: TERM to the main process."""
    assert setting("KillMode") == "mixed"
    container.engine.stop(container)


def test_systemd_understands_the_unit() -> None:
    """No unknown setting, no setting in a wrong section, no program that is missing."""
    need("systemd-analyze", "systemd-nspawn")
    done = run("systemd-analyze", "verify", "--man=no", UNIT, check=False)
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []
