"""Reaping: waitpid(-1, WNOHANG) until there is no more.

SIGCHLD means "look", not "one child": standard signals coalesce (catatonit #4).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from enum import IntEnum

from pyinit import native
from pyinit.exit_codes import Failure
from pyinit.payload.payload import Payload
from pyinit.procfs.processes import WALL

ANY = -1
# The low seven bits of the wait status of a child that was stopped or continued, and has not exited (wait(2)).
CHANGED = 0x7F
WAIT_FLAGS = os.WNOHANG | os.WUNTRACED | os.WCONTINUED | WALL
# After so many children, signals that have arrived meanwhile are handled.
BATCH = 64
# A wait that was refused so often in a row will not be allowed any more.
MAX_REFUSALS = 8
# What native.reap returns for a pid where there are no children.
NO_CHILDREN = -1


class Exits(IntEnum):
    """Which exits are reported to Python; all other children are reaped in C. The values are native.reap's."""

    NONE = -1
    ALL = 0
    PAYLOAD = 1


class Reaper:
    """Reaps children, and reports what has become of them.

    `on_exit` is called with pid and wait status of a child that has exited, `on_change` with those of one that was
    stopped or continued. `before_reap`, if given, is called with the pid of each child that has exited while it still
    is a zombie. `exits` says which exits are reported (but with `before_reap` all are): with PAYLOAD the payload's,
    those of children that SIGKILL may have killed, and all once the payload has been reaped.

    `childless` is True if there were no children at all the last time that the reaper looked.
    """

    __slots__ = ("_before_reap", "_exits", "_on_change", "_on_exit", "_payload", "_refusals", "childless")

    def __init__(
        self,
        payload: Payload,
        exits: Exits,
        on_exit: Callable[[int, int], None],
        on_change: Callable[[int, int], None],
        before_reap: Callable[[int], None] | None = None,
    ) -> None:
        self._payload = payload
        self._exits = exits
        self._on_exit = on_exit
        self._on_change = on_change
        self._before_reap = before_reap
        self._refusals = 0
        self.childless = False

    @property
    def reported(self) -> int:
        """Which exits native.reap and native.wait_and_reap report: a pid, 0 for all, -1 for none."""
        return self._payload.pid if self._exits is Exits.PAYLOAD else self._exits

    def collect(self) -> bool:
        """Reap up to BATCH children; return True if there may be more. Raises Failure if there is no way to wait."""
        left = BATCH
        while left:
            try:
                pid, status, taken = self._next(left)
            except OSError as error:
                return self._was_refused(error.errno or 0)
            if pid == NO_CHILDREN and self._payload.pid:
                return self._was_refused(errno.ECHILD)
            left -= taken
            self._refusals = 0
            self.childless = pid == NO_CHILDREN
            if self.childless:
                return False
            if pid == 0:
                return not left
            if status & CHANGED == CHANGED:
                self._on_change(pid, status)
            else:
                self._on_exit(pid, status)
        return True

    def _next(self, most: int) -> tuple[int, int, int]:
        """Return the next child to report, as native.reap does."""
        if self._before_reap is None:
            return native.reap(WAIT_FLAGS, self._payload.pid, most)
        try:
            return *os.waitpid(self._announce(), WAIT_FLAGS), 1
        except ChildProcessError:
            return NO_CHILDREN, 0, 0

    def _was_refused(self, number: int) -> bool:
        """Have a wait that failed tried again, but not for ever."""
        self._refusals += 1
        if self._refusals > MAX_REFUSALS:
            raise Failure(f"processes cannot be waited for: {os.strerror(number)}")
        return True

    def _announce(self) -> int:
        """Call `before_reap` for the next child that has exited; return what to wait for."""
        assert self._before_reap
        try:
            # WNOWAIT leaves the zombie where it is, and with it what /proc tells of it.
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT | WALL)
        except OSError:
            # No children, or a seccomp filter that forbids it: the wait itself will tell which.
            return ANY
        if not found:
            return ANY
        self._before_reap(found.si_pid)
        return found.si_pid
