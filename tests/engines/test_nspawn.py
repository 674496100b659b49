"""systemd-nspawn's own habits: its halt signal, its stub as PID 1, readiness from PID 1 alone."""

from __future__ import annotations

import contextlib
import signal
import socket
from pathlib import Path

import pytest

from tests.engines.namespaces import Nspawn, NspawnAsPid2
from tests.engines.support import PATIENCE

pytestmark = pytest.mark.xdist_group("nspawn")
HANDLES_TERM = """\
trap 'echo got TERM; exit 9' TERM
echo ready
while :; do sleep 0.05; done
"""
# sd_notify(3) by hand, when it is told to.
SAYS_READY = """\
import os, signal, socket
asked = []
signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
print("waiting", flush=True)
while not asked:
    signal.sigtimedwait([], 0.01)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    address = os.environ["NOTIFY_SOCKET"]
    notify.connect("\\0" + address[1:] if address.startswith("@") else address)
    notify.send(b"READY=1")
signal.pause()
"""


@pytest.fixture
def nspawn(storage: Path, bare: Path) -> Nspawn:
    """nspawn as a unit would run it, with the signal that asks PID 1 to halt."""
    chosen = Nspawn(storage / "nspawn-halted", bare)
    chosen.options = ("--kill-signal=SIGRTMIN+3",)
    return chosen


def test_a_request_to_halt_reaches_the_payload_as_term(nspawn: Nspawn) -> None:
    """The payload of another init would die of signal 37; here it ends as it likes."""
    with nspawn.container("sh", "-c", HANDLES_TERM) as container:
        container.says("ready")
        nspawn.stop(container)
        assert container.ended()[:2] == (9, "ready\ngot TERM\n")


def test_a_request_to_halt_ends_a_payload_that_handles_nothing(nspawn: Nspawn) -> None:
    """143: by TERM, not by signal 37 (165)."""
    with nspawn.container("sh", "-c", "echo ready; exec sleep 1000") as container:
        container.says("ready")
        nspawn.stop(container)
        assert container.wait() == 143


def test_a_rewrite_by_hand_comes_first(nspawn: Nspawn) -> None:
    """Who asks for RTMIN+3 as it is gets it."""
    kept = {"PYINIT_OPTIONS": "-r RTMIN+3:RTMIN+3"}
    with nspawn.container("sh", "-c", "echo ready; exec sleep 1000", environment=kept) as container:
        container.says("ready")
        nspawn.stop(container)
        assert container.wait() == 165


def test_nspawns_own_stub_stops_the_payload_through_pyinit(storage: Path, bare: Path) -> None:
    """With --as-pid2 nspawn's stub gets the halt signal and sends TERM, CONT and HUP to pyinit."""
    chosen = NspawnAsPid2(storage / "nspawn-stub-halted", bare)
    chosen.options = ("--as-pid2", "--kill-signal=SIGRTMIN+3")
    with chosen.container("sh", "-c", "trap '' HUP\n" + HANDLES_TERM) as container:
        container.says("ready")
        chosen.stop(container)
        container.wait()
        assert container.output.splitlines()[:2] == ["ready", "got TERM"]


def test_readiness_is_relayed_to_nspawn(storage: Path, debian: Path) -> None:
    """nspawn believes PID 1 alone; what the payload says arrives because pyinit passes it on."""
    chosen = Nspawn(storage / "nspawn-notified", debian)
    chosen.options = ("--notify-ready=yes",)
    chosen.manager = chosen.folder / "notify"
    # In the place of systemd, which hears from nspawn that its unit is ready.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(chosen.manager))
        manager.setblocking(False)
        with chosen.container("python3", "-c", SAYS_READY) as container:
            container.says("waiting")
            assert not any(ready(message) for message in already(manager))
            container.signal(signal.SIGUSR1)
            manager.settimeout(PATIENCE)
            while not ready(manager.recv(4096)):
                pass


def ready(message: bytes) -> bool:
    """Whether a message of nspawn's says that the container is ready."""
    return b"READY=1" in message.splitlines()


def already(manager: socket.socket) -> list[bytes]:
    """The messages that have come so far; the socket does not block."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(manager.recv(4096))
    return found
