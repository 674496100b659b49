"""Stands for an engine that forgets those it let in: starts clients, kills them, waits when told.

    enter.py COUNT CLIENT...

Starts the client COUNT times. At a line of input it kills them all and so inherits, as a subreaper,
what they had let in; says "killed"; and waits for these processes only after another line.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Do what each line asks for."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    many, *command = sys.argv[1:]
    null = subprocess.DEVNULL
    clients = [subprocess.Popen(command, stdin=null, stdout=null, stderr=null) for _ in range(int(many))]
    sys.stdin.readline()
    for client in clients:
        client.kill()
        client.wait()
    print("killed", flush=True)
    sys.stdin.readline()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    main()
