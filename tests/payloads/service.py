"""A small service: says that it is ready; if it handles TERM, says so and ends with 0.

service.py NAME [--handle-term]
"""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Serve until TERM."""
    name = sys.argv[1]

    def finish(*_: object) -> None:
        print(name, "got TERM", flush=True)
        sys.exit(0)

    if "--handle-term" in sys.argv:
        signal.signal(signal.SIGTERM, finish)
    print(name, "is ready", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
