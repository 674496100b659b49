"""Messages to a service manager (sd_notify(3)): what comes along with one, and what of it is handed on."""

from __future__ import annotations

import _socket
import os

# The size of a descriptor and of struct ucred (unix(7)).
INT, UCRED = 4, 12
# These name a process to the manager: but the manager's child is init, and stays it.
NAME_A_PROCESS = (b"MAINPID=", b"MAINPIDFD=", b"MAINPIDFDID=")

Ancillary = list[tuple[int, int, bytes]]


def sorted_out(ancillary: Ancillary) -> tuple[list[int], tuple[int, int]]:
    """The descriptors that came along, and pid and user of the sender."""
    received: list[int] = []
    sender = (0, -1)
    for _, kind, data in ancillary:
        numbers = [int.from_bytes(data[at : at + INT], "little") for at in range(0, len(data) - INT + 1, INT)]
        if kind == _socket.SCM_RIGHTS:
            received += numbers
        elif kind == _socket.SCM_CREDENTIALS:
            sender = numbers[0], numbers[1]
    return received, sender


def without_processes(message: bytes) -> bytes:
    """A message without the lines that name a process; nothing may be left."""
    # systemd and nspawn take a carriage return for the end of a line too, as bytes.splitlines does.
    return b"".join(line for line in message.splitlines(keepends=True) if not _names_a_process(line))


def _names_a_process(line: bytes) -> bool:
    # systemd and nspawn take away a backslash and keep what follows it, a line's end too (extract_first_word with no
    # flags, in systemd's src/basic/extract-word.c). nspawn hands STATUS on to systemd, which does it once more: so
    # each line counts as one, and no backslash counts at all.
    return line.replace(b"\\", b"").startswith(NAME_A_PROCESS)


def close(received: list[int], handed_on: bool) -> None:
    """Closes the descriptors that came along, without waiting for those that nobody else has been given."""
    for descriptor in received:
        if not handed_on:
            _linger_not(descriptor)
        try:
            os.close(descriptor)
        except OSError:
            # It says what has become of the data, EIO: the descriptor is closed all the same (close(2)).
            pass


def _linger_not(descriptor: int) -> None:
    """Makes closing a socket quick: one that lingers (socket(7)) would hold init up for as long as its sender likes."""
    try:
        held = _socket.socket(fileno=descriptor)
    except OSError:
        # It is none.
        return
    try:
        # struct linger: off, 0 s
        held.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, bytes(2 * INT))
    except OSError:
        pass
    held.detach()
