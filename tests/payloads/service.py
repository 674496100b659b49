"""A small service: says that it is ready; if it handles TERM, says so and ends with 0.

service.py NAME [--handle-term]
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Serve until TERM."""
    name = sys.argv[1]

    def finish(*_: object) -> None:
        # Once, and without print(), which the signal may have interrupted.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(1, f"{name} got TERM\n".encode())
        sys.exit(0)

    if "--handle-term" in sys.argv:
        signal.signal(signal.SIGTERM, finish)
    os.write(1, f"{name} is ready\n".encode())
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
