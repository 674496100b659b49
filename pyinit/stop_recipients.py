"""Which processes were sent the last stop signal while the payload was alive: they are not asked a second time."""

from __future__ import annotations

from pyinit import signals
from pyinit.procfs.birth_order import Moment
from pyinit.procfs.processes import OUTSIDE, Process
from pyinit.procfs.signal_descendants import DescendantSignaler


class StopRecipients:
    """The processes in a target of kill(2), a process group or everybody, at the moment this object is made.

    With `walk`, the processes that it has reached instead. `number` is the signal that they were sent.
    """

    __slots__ = ("_moment", "_target", "_walk", "number")

    def __init__(self, number: int, target: int, walk: DescendantSignaler | None = None) -> None:
        self.number = number
        self._target = target
        self._walk = walk
        # Not needed if only the payload gets the signal.
        self._moment = Moment() if target < 0 else None

    @property
    def is_everybody(self) -> bool:
        """Return True if the signal was sent to all other processes of the namespace."""
        return self._target == signals.EVERYBODY

    def includes(self, process: Process) -> bool:
        """Return True if the process was sent the signal."""
        if self._walk:
            return self._walk.has_reached(process)
        return self._is_in_target(process) and not self._is_later(process)

    def has_caused(self, process: Process) -> bool:
        """Return True if a process that was sent the signal has started this one since, such as the clean-up in a trap.

        As far as that can be told: it is newer than the signal and belongs to the same target.
        """
        if self._walk:
            return self._walk.started_after_signal(process)
        return process.parent != OUTSIDE and self._is_in_target(process) and self._is_later(process)

    def _is_in_target(self, process: Process) -> bool:
        return self._target in (signals.EVERYBODY, -process.group)

    def _is_later(self, process: Process) -> bool:
        return self._moment is not None and self._moment.is_before(process)
