"""Signals to every descendant of init, to nobody else, and to each of them exactly once.

What kill(-1) does at one stroke for PID 1 takes walks through /proc here, again until nothing new turns up: who was
born during a walk, before its parent had its signal, is found by the next.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence

from pyinit import processes, signals
from pyinit.processes import Process

# Against descendants that are born faster than they are found. Whoever is born later is the caller's next look's.
WALKS = 16


class Reach:
    """One signal, or several in this order, on the way to all descendants.

    `refused` is called with pid, signal and error where one could not be sent.
    """

    __slots__ = ("_marks", "_numbers", "_refused", "_started")

    def __init__(self, numbers: Sequence[int], refused: Callable[[int, int, OSError], None]) -> None:
        self._numbers = numbers
        self._refused = refused
        self._started: dict[int, int] = {}
        self._marks: dict[int, int] = {}

    def everyone(self) -> None:
        """Sends. Raises OSError where /proc cannot be read; nobody has got anything then."""
        for _ in range(WALKS):
            try:
                found = processes.descendants(os.getpid())
            except OSError:
                if self._started:
                    return
                raise
            new = [each for each in found if self._wanted(each)]
            if not new:
                return
            self._started |= {each.pid: each.started for each in new}
            for each in new:
                self._send(each)
                self._marks[each.pid] = self._newest()

    def _wanted(self, process: Process) -> bool:
        if not process.alive or self._started.get(process.pid) == process.started:
            return False
        if not self._marks or signals.KILL in self._numbers:
            return True
        # A parent that had the signal starts others because of it: the clean-up of a trap, nginx's new workers. The
        # signal is not for them. A process's fork waits while a signal is pending for it (fork(2) restarts), so what
        # is older than the signal was born before it.
        mark = self._marks.get(process.parent) or max(self._marks.values())
        return process.pid <= mark

    def _send(self, process: Process) -> None:
        for number in self._numbers:
            try:
                send(process, number)
            except ProcessLookupError:
                return
            except OSError as error:
                self._refused(process.pid, number, error)

    def _newest(self) -> int:
        """The pid that was given out last.

        Where that cannot be read (a /proc with subset=pid, proc(5)) it is the highest of those found: who was born
        during the walk is then taken for younger than the signal.
        """
        try:
            return processes.newest()
        except OSError:
            return max(self._started)


def send(process: Process, number: int) -> None:
    """kill(2) for exactly this process, and no other that has got its pid since.

    Raises ProcessLookupError when it is gone, PermissionError when it may not be signalled.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        raise
    except OSError:
        # Linux before 5.3, a seccomp filter that does not know the call, or no descriptor to spare.
        descriptor = -1
    try:
        if Process(process.pid).started != process.started:
            raise ProcessLookupError
        if descriptor < 0 or not _sent(descriptor, number):
            os.kill(process.pid, number)
    except FileNotFoundError:
        raise ProcessLookupError from None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _sent(descriptor: int, number: int) -> bool:
    try:
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        raise
    except OSError:
        # If it was a seccomp filter that knows pidfd_open alone, kill may do; otherwise it says the same.
        return False
    return True
