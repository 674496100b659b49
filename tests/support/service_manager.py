"""A service manager that listens to its service, as systemd does (sd_notify(3))."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct

from tests.support.commands import ENVIRONMENT
from tests.support.polling import PATIENCE


class Manager:
    """A service manager's socket, and what has arrived there."""

    def __init__(self, address: str) -> None:
        self.variable = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.settimeout(PATIENCE)

    def receive(self) -> tuple[bytes, int, int]:
        """Return the next message, its sender's pid and the number of its descriptors, which are closed."""
        data, ancillary, _, _ = self.socket.recvmsg(65536, 65536)
        pid = descriptors = 0
        for _, kind, content in ancillary:
            if kind == socket.SCM_RIGHTS:
                numbers = struct.unpack(f"{len(content) // 4}i", content)
                descriptors = len(numbers)
                for each in numbers:
                    os.close(each)
            else:
                pid = struct.unpack("3i", content)[0]
        return data, pid, descriptors

    def fill(self) -> None:
        """Fill the queue, so that nothing more can be sent until something has been received."""
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sender.setblocking(False)
        sender.connect(self.socket.getsockname())
        with contextlib.suppress(BlockingIOError):
            while True:
                sender.send(b"STATUS=busy")
        sender.close()

    def nothing(self) -> bool:
        """Return True if nothing has arrived."""
        return not select.select([self.socket], [], [], 0)[0]

    @property
    def environment(self) -> dict[str, str]:
        """Return the init's environment."""
        return {**ENVIRONMENT, "NOTIFY_SOCKET": self.variable}
