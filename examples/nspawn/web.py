"""A web server that sends READY=1 when it listens (sd_notify(3)), and exits with 0 on TERM."""

from __future__ import annotations

import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Greeting(BaseHTTPRequestHandler):
    """Answer every GET with the same line."""

    def do_GET(self) -> None:
        """Send the line. BaseHTTPRequestHandler requires this name."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"served from a container\n")


def notify(message: str) -> None:
    """Send a message to the service manager. A leading @ stands for the NUL of an abstract address (unix(7))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(message.encode(), address.replace("@", "\0", 1))


# sys.exit ends serve_forever and closes the open sockets.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = HTTPServer(("", 8000), Greeting)
notify("READY=1")
server.serve_forever()
