"""Send signals to many processes: to each exactly once, and to none that was started because of the signal.

PID 1 can signal all processes in one step, by kill(-1). Otherwise init walks through /proc until a walk finds no new
process: one that was started during a walk, before its parent was signalled, is found by the next.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Sequence

from pyinit.procfs.birth_order import Moment
from pyinit.procfs.processes import OUTSIDE, HiddenChild, Process

# The most walks, in case descendants fork faster than they are found; the caller's next call signals the rest.
MOST_WALKS = 16

SignalsFor = Callable[[Process], Sequence[int]]
Refused = Callable[[int, int, OSError], None]


class DescendantSignaler:
    """Sends one signal, or several in order, to many processes, and to each of them once.

    `signals_for` returns the signals for a process. `refused` is called with pid, signal and error if one could not be
    sent. With `spare_new`, processes that were started after their parent was signalled are left out: the clean-up in a
    trap, nginx's new workers.
    """

    __slots__ = ("_first_round", "_latest", "_reached", "_refused", "_signals_for", "spare_new")

    def __init__(self, signals_for: SignalsFor, refused: Refused, spare_new: bool = True) -> None:
        self._signals_for = signals_for
        self._refused = refused
        self.spare_new = spare_new
        # By pid: the start of a process, and the moment before its signals were sent.
        self._reached: dict[int, tuple[int, Moment | None]] = {}
        self._latest: Moment | None = None
        self._first_round = True

    def walk(self, find: Callable[[], Iterable[Process]]) -> None:
        """Signal all processes that `find` returns; call it until it returns no new ones.

        Raises OSError if the first call of `find` does; then nothing has been sent.
        """
        for walk in range(MOST_WALKS):
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
        """Signal those processes that have not been signalled yet; return True if there were any."""
        new = [process for process in found if self._must_be_signalled(process)]
        for process in new:
            # Taken before the signal is sent, so that a process which the receiver starts immediately, on another
            # processor, is later. One that it starts between the two is spared as well: init cannot tell them apart.
            moment = Moment() if self.spare_new else None
            self._reached[process.pid] = process.started, moment
            if self._first_round:
                self._latest = moment
            self._send(process)
        return bool(new)

    def has_reached(self, process: Process) -> bool:
        """Return True if the process has been signalled."""
        reached = self._reached.get(process.pid)
        return reached is not None and reached[0] == process.started

    def started_after_signal(self, process: Process) -> bool:
        """Return True if a process was started after its parent was signalled.

        The kernel does not let a process fork while a signal is pending for it (copy_process in kernel/fork.c restarts
        the fork), so this means after the parent's handler began. If the parent is gone, it may have been any process
        that was signalled in the first walks.
        """
        if process.parent == OUTSIDE:
            return False
        parent = self._reached.get(process.parent)
        moment = parent[1] if parent else self._latest
        return moment is not None and moment.is_before(process)

    def _must_be_signalled(self, process: Process) -> bool:
        if not process.alive or self.has_reached(process):
            return False
        return not (self.spare_new and self.started_after_signal(process))

    def _send(self, process: Process) -> None:
        for number in self._signals_for(process):
            try:
                send(process, number)
            except ProcessLookupError:
                return
            except OSError as error:
                self._refused(process.pid, number, error)


def send(process: Process, number: int) -> None:
    """Send a signal to exactly this process, and never to another one that has its pid now.

    Raises ProcessLookupError if the process is gone, PermissionError if init may not signal it.
    """
    if isinstance(process, HiddenChild):
        # Init has not reaped it, so its pid is still in use.
        os.kill(process.pid, number)
        return
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        raise
    except OSError:
        # Linux before 5.3, a seccomp filter that does not allow the call, or no free descriptor.
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
        # If a seccomp filter allows only pidfd_open, kill(2) may work; otherwise it fails in the same way.
        return False
    return True
