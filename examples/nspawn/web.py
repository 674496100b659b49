"""A web server that says READY=1 when it listens (sd_notify(3)) and ends with 0 on TERM."""

from __future__ import annotations

import os
import signal
import socket
import sys
from http.server import HTTPServer, SimpleHTTPRequestHandler


def notify(message: str) -> None:
    """Tell the service manager; a leading @ stands for the NUL of an abstract address (unix(7))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(message.encode(), address.replace("@", "\0", 1))


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = HTTPServer(("", 8000), SimpleHTTPRequestHandler)
notify("READY=1")
server.serve_forever()
