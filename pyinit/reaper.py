"""Reaping: waitpid(-1, WNOHANG) until there is no more.

SIGCHLD means "look", not "one child": standard signals coalesce (catatonit #4).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from pyinit import native
from pyinit.exit_codes import Failure
from pyinit.procfs.processes import WALL

ANY = -1
# The low seven bits of the wait status of a child that was stopped or continued, and has not ended (wait(2)).
CHANGED = 0x7F
HOW = os.WNOHANG | os.WUNTRACED | os.WCONTINUED | WALL
# Then signals that have arrived meanwhile have their turn.
AT_MOST = 64
# A wait that was refused so often in a row will not be allowed any more.
REFUSALS = 8
# What native.reap has for a pid where there are no children.
NOBODY = -1


class Reaper:
    """Collects what children have become.

    `gone` is called with pid and wait status of each that has ended, `changed` with those that were stopped or
    continued, `ending` with the pid of each that has ended before it is reaped, for those who want to look at it.
    `payload` is the payload's pid as long as that must be a child, otherwise 0: of other children that end meanwhile
    `gone` hears only with `ending`, and if KILL may have ended them. `childless` is whether there were no children at
    all the last time that one was looked for.
    """

    __slots__ = ("_changed", "_ending", "_gone", "_refusals", "childless", "payload")

    def __init__(
        self,
        gone: Callable[[int, int], None],
        changed: Callable[[int, int], None],
        payload: int = 0,
        ending: Callable[[int], None] | None = None,
    ) -> None:
        self._gone = gone
        self._changed = changed
        self._ending = ending
        self.payload = payload
        self._refusals = 0
        self.childless = False

    def collect(self) -> bool:
        """Reaps 64 children at the most; whether there may be more. Raises Failure when there is no way to wait."""
        left = AT_MOST
        while left:
            try:
                pid, status, taken = self._next(left)
            except OSError as error:
                return self._refused(error.errno or 0)
            if pid == NOBODY and self.payload:
                return self._refused(errno.ECHILD)
            left -= taken
            self._refusals = 0
            self.childless = pid == NOBODY
            if self.childless:
                return False
            if pid == 0:
                return not left
            if status & CHANGED == CHANGED:
                self._changed(pid, status)
            else:
                self._gone(pid, status)
        return True

    def _next(self, most: int) -> tuple[int, int, int]:
        """The next child that matters, as native.reap has it."""
        if self._ending is None:
            return native.reap(HOW, self.payload, most)
        try:
            return *os.waitpid(self._look(), HOW), 1
        except ChildProcessError:
            return NOBODY, 0, 0

    def _refused(self, number: int) -> bool:
        """A wait that failed is tried again, a few times."""
        self._refusals += 1
        if self._refusals > REFUSALS:
            raise Failure(f"processes cannot be waited for: {os.strerror(number)}")
        return True

    def _look(self) -> int:
        # WNOWAIT leaves the zombie where it is, and with it what /proc still tells of it.
        assert self._ending
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT | WALL)
        except OSError:
            # No children, or a seccomp filter that forbids it: the wait itself will tell which.
            return ANY
        if not found:
            return ANY
        self._ending(found.si_pid)
        return found.si_pid
