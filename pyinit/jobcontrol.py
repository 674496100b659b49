"""Job control: init stops when its payload stops, so that the shell above gets its prompt back, and resumes with it.

Only if somebody could resume it: not as PID 1, and not in an orphaned group (setpgid(2), tty_ioctl(4)).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from pyinit import signals
from pyinit.log import Log
from pyinit.processes import Process
from pyinit.terminal import Terminal


class JobControl:
    """Stops and continues of payload and init. `send` sends a signal to the forwarding target."""

    __slots__ = ("_log", "_on_purpose", "_payload", "_send", "_terminal")

    def __init__(self, payload: int, terminal: Terminal, send: Callable[[int], None], log: Log) -> None:
        self._payload = payload
        self._terminal = terminal
        self._send = send
        self._log = log
        self._on_purpose = False

    def changed(self, pid: int, status: int) -> None:
        """A child was stopped or continued; of interest if it is the payload that was stopped."""
        if pid != self._payload or not os.WIFSTOPPED(status):
            return
        number = os.WSTOPSIG(status)
        self._log.info(f"payload {pid} stopped by {signals.name(number)}", pid=pid)
        if resumable():
            self.suspend()
        elif number in signals.JOB_CONTROL and not self._on_purpose and self._terminal.lent:
            # The terminal's ^Z, where no shell is above that could say fg.
            self._log.info(f"payload {pid} continued: nobody could resume it", pid=pid)
            self._send(signals.CONT)

    def stop_forwarded(self) -> None:
        """A stop that was sent to init has been forwarded: init stops itself too, if it can be resumed."""
        self._on_purpose = True
        if resumable():
            self.suspend()

    def continued(self) -> None:
        """CONT has come, and is about to be forwarded: after fg, but not bg, the payload gets the terminal."""
        self._on_purpose = False
        self._terminal.lend()

    def suspend(self) -> None:
        """Stops init until it is continued. The CONT that does so is then pending, and forwarded as any other."""
        # A CONT that is already here would be discarded by the stop (signal(7)): it is the newer word.
        if signals.CONT not in signal.sigpending():
            os.kill(os.getpid(), signals.STOP)


def resumable() -> bool:
    """Whether a shell could continue init: its process group is not orphaned, and it is not PID 1.

    Looks upwards from init alone: the first ancestor in another group decides, by its session.
    """
    if os.getpid() == 1:
        return False
    group, session = os.getpgrp(), os.getsid(0)
    parent = os.getppid()
    try:
        # A shell of its own group, as in `sh -c 'pyinit ...; true'`, is stopped by ^Z as well: look above it.
        while parent and os.getpgid(parent) == group:
            parent = Process(parent).parent
        return bool(parent) and os.getsid(parent) == session
    except OSError:
        return False
