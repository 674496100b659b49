"""What messages to the service manager can make of init: another main process, a slow init, a full log."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import payload
from tests.conftest import Start
from tests.manager import Manager
from tests.systemd import splitter

NAMES = (b"MAINPID=", b"MAINPIDFD=", b"MAINPIDFDID=")
PIECES = (
    "\\",
    "\\",
    "\n",
    "\n",
    "\r",
    "MAINPID=42",
    "MAINPIDFD=1",
    "MAINPIDFDID=7",
    "MAIN",
    "PID=1",
    "STATUS=x",
    '"',
    "'",
)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """A service manager that listens."""
    one = Manager(str(tmp_path / "manager"))
    yield one
    one.socket.close()


@pytest.mark.parametrize(
    "line", ["\\MAINPID=42", "M\\AINPID=42", "MAINPI\\DFD=1", "\\M\\A\\I\\N\\P\\I\\D\\F\\D\\I\\D\\=7", "MAINPID\\=42"]
)
def test_a_backslash_hides_no_process(start: Start, manager: Manager, line: str) -> None:
    """systemd takes it away before it compares."""
    words = payload("notify", f"{line}\nREADY=1", line, f"STATUS=a\\\n{line}", f"STATUS=next\r{line}", "STATUS=\\end")
    init = start(*words, environment=manager.environment)
    received = [manager.receive()[0] for _ in range(4)]
    assert received == [b"READY=1", b"STATUS=a\\\n", b"STATUS=next\r", b"STATUS=\\end"]
    assert init.wait().code == 0


def test_no_message_names_a_process_to_systemds_parser(start: Start, manager: Manager) -> None:
    """Nor what nspawn makes of one and hands on to systemd, which parses that again."""
    split = splitter()
    chance = random.Random(1)
    sent = [f"X={number}\n" + "".join(chance.choices(PIECES, k=8)) for number in range(1500)]
    init = start(*payload("notify", *sent), environment=manager.environment)
    named = 0
    for message in sent:
        received = manager.receive()[0]
        assert not [each for word in split(received) for each in (word, *split(word)) if each.startswith(NAMES)]
        named += any(word.startswith(NAMES) for word in split(message.encode()))
        if not any(line.replace(b"\\", b"").startswith(NAMES) for line in message.encode().splitlines()):
            assert received == message.encode()
    assert init.wait().code == 0
    assert named > 100
