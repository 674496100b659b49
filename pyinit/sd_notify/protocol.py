"""The format of messages to a service manager (sd_notify(3)): their sender, descriptors, and lines to be removed."""

from __future__ import annotations

import _socket
import os

# The size of a descriptor and of struct ucred (unix(7)).
INT, UCRED = 4, 12
# These lines give the manager another main process. That must stay init, which is the manager's child.
NAME_A_PROCESS = (b"MAINPID=", b"MAINPIDFD=", b"MAINPIDFDID=")

Ancillary = list[tuple[int, int, bytes]]


def sender(ancillary: Ancillary) -> tuple[int, int]:
    """Return the sender's pid and user id; the pid is 0 if the sender is outside of init's PID namespace."""
    for _, kind, data in ancillary:
        if kind == _socket.SCM_CREDENTIALS:
            pid, user = _integers(data)[:2]
            return pid, user
    return 0, -1


def close_descriptors(ancillary: Ancillary) -> None:
    """Close the descriptors in ancillary data."""
    for _, kind, data in ancillary:
        if kind != _socket.SCM_RIGHTS:
            continue
        for descriptor in _integers(data):
            try:
                os.close(descriptor)
            except OSError:
                # The error, such as EIO, is about the data: the descriptor is closed all the same (close(2)).
                pass


def without_processes(message: bytes) -> bytes:
    """Return a message without the lines that name a process; it may be empty then."""
    # For systemd and nspawn, as for bytes.splitlines, a carriage return ends a line too.
    return b"".join(line for line in message.splitlines(keepends=True) if not _names_a_process(line))


def _names_a_process(line: bytes) -> bool:
    # systemd and nspawn remove a backslash and keep what follows it, even a line's end (extract_first_word without
    # flags, in systemd's src/basic/extract-word.c). nspawn hands STATUS on to systemd, which removes backslashes again.
    # So take every line for one of its own, and ignore all backslashes.
    return line.replace(b"\\", b"").startswith(NAME_A_PROCESS)


def _integers(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + INT], "little") for at in range(0, len(data) - INT + 1, INT)]
