"""Send signals to many processes: to each exactly once, and to none that was started because of the signal.

As PID 1, kill(-1) signals all processes in one step. Here it takes walks through /proc until a walk finds nothing new:
a process that was started during a walk, before its parent had its signal, is found by the next.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Sequence

from pyinit.procfs.birth_order import Moment
from pyinit.procfs.processes import OUTSIDE, HiddenChild, Process

# The most walks, in case processes are started faster than they are found. The caller's next look finds the rest.
WALKS = 16

SignalsFor = Callable[[Process], Sequence[int]]
Refused = Callable[[int, int, OSError], None]


class Reach:
    """One signal, or several in order, to many processes.

    `signals_for` returns the signals for a process. `refused` is called with pid, signal and error if one could not be
    sent. With `spares`, processes that were started after their parent had its signals are left out: the clean-up in a
    trap, nginx's new workers.
    """

    __slots__ = ("_first_round", "_latest", "_reached", "_refused", "_signals_for", "spares")

    def __init__(self, signals_for: SignalsFor, refused: Refused, spares: bool = True) -> None:
        self._signals_for = signals_for
        self._refused = refused
        self.spares = spares
        self._reached: dict[int, tuple[int, Moment | None]] = {}
        self._latest: Moment | None = None
        self._first_round = True

    def walk(self, find: Callable[[], Iterable[Process]]) -> None:
        """Send to all processes that `find` returns, until it returns no new ones.

        Raises OSError if the first call of `find` does; then nothing has been sent.
        """
        for walk in range(WALKS):
            try:
                found = find()
            except OSError:
                if not walk:
                    raise
                break
            if not self.send(found):
                break
        self._first_round = False

    def send(self, found: Iterable[Process]) -> bool:
        """Send to those processes that have not got their signals yet; return True if there were any."""
        new = [process for process in found if self._is_wanted(process)]
        for process in new:
            # Taken before the signal is sent, so that a process which the receiver starts at once, on another
            # processor, is later. One that it starts between the two is spared as well: init cannot tell them apart.
            moment = Moment() if self.spares else None
            self._reached[process.pid] = process.started, moment
            if self._first_round:
                self._latest = moment
            self._send(process)
        return bool(new)

    def has_reached(self, process: Process) -> bool:
        """Return True if the process has got its signals."""
        reached = self._reached.get(process.pid)
        return reached is not None and reached[0] == process.started

    def is_because(self, process: Process) -> bool:
        """Return True if a process was started after its parent had its signals.

        The kernel does not let a process fork while a signal waits for it (copy_process in kernel/fork.c restarts), so
        this means after the parent's handler began. If the parent is gone, it may have been any of those that had
        their signals in the first walks.
        """
        if process.parent == OUTSIDE:
            return False
        parent = self._reached.get(process.parent)
        moment = parent[1] if parent else self._latest
        return moment is not None and moment.is_before(process)

    def _is_wanted(self, process: Process) -> bool:
        return process.alive and not self.has_reached(process) and not (self.spares and self.is_because(process))

    def _send(self, process: Process) -> None:
        for number in self._signals_for(process):
            try:
                send(process, number)
            except ProcessLookupError:
                return
            except OSError as error:
                self._refused(process.pid, number, error)


def send(process: Process, number: int) -> None:
    """Send a signal to exactly this process, and to no other that has got its pid since.

    Raises ProcessLookupError when it is gone, PermissionError when it may not be signalled.
    """
    if isinstance(process, HiddenChild):
        # Init has not reaped it, so no other process can have its pid.
        os.kill(process.pid, number)
        return
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
