"""The controlling terminal: who is in its foreground, and handing it over (tty_ioctl(4), credentials(7)).

All signals are blocked, TTOU too, so tcsetpgrp(3) from the background does not stop init. A terminal that went away
(EIO), is not ours (ENOTTY) or is a closed descriptor (EBADF) is nothing to fail on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal

from pyinit import fds, native, signals
from pyinit.procfs.processes import Process

NONE = -1
# getpgrp(2) for a group of another PID namespace, further up.
OUTSIDE = 0
# asm-generic/ioctls.h; CPython has it in termios alone.
TIOCNOTTY = 0x5422


class Terminal:
    """The controlling terminal as init found it.

    `descriptor` is -1 where there is none, `foreground` whether init's own group was in the foreground. `given_up` is
    whether it is the terminal of the payload's session now.
    """

    __slots__ = ("_payload_group", "descriptor", "foreground", "given_up")

    def __init__(self) -> None:
        self.descriptor = NONE
        self._payload_group = NONE
        self.given_up = False
        group = self._find()
        self.foreground = self.descriptor != NONE and group == os.getpgrp()

    def _find(self) -> int:
        """The terminal's foreground group, -1 without a terminal."""
        opened = native.open_terminal()
        if opened == -errno.ENXIO:
            # There is none (tty(4)), as for most inits: 0 to 2 need not be asked.
            return NONE
        try:
            opened = fds.above_standard(opened) if opened >= 0 else NONE
        except OSError:
            opened = NONE
        for descriptor in (0, 1, 2):
            try:
                group = os.tcgetpgrp(descriptor)
            except OSError:
                continue
            self.descriptor = descriptor
            if opened != NONE:
                os.close(opened)
            return group
        self.descriptor = opened
        return self._in_foreground()

    def keep(self, first: int) -> int:
        """Moves the descriptor, if init opened it itself, to `first`; returns the first that is not in use."""
        if self.descriptor < first:
            return first
        fds.move(self.descriptor, first)
        self.descriptor = first
        return first + 1

    def lent_to(self, group: int) -> None:
        """The payload's group is this one, and has been put into the foreground if init's was there."""
        self._payload_group = group

    @property
    def lent(self) -> bool:
        """Whether there is a terminal whose keys stop and interrupt the payload's group."""
        return self._payload_group != NONE and self._in_foreground() == self._payload_group

    @property
    def is_payloads(self) -> bool:
        """Whether the terminal's keys stop and interrupt the payload: it is lent, or that of the payload's session."""
        return self.given_up or self.lent

    @property
    def lent_away(self) -> bool:
        """The same, and the keys do not reach init's own group, where others may be: a shell's pipeline, a script."""
        return self._payload_group != os.getpgrp() and self.lent

    def lend(self) -> bool:
        """Puts the payload's group into the foreground, if init's own is there and another; whether it was so."""
        if self._payload_group in (NONE, os.getpgrp()) or self._in_foreground() != os.getpgrp():
            return False
        self._put(self._payload_group)
        return True

    def demand(self) -> bool:
        """As `lend`, for a payload that has asked for the terminal: also if another init of this job has lent it."""
        return self.lend() or self._take_from_neighbour()

    def _take_from_neighbour(self) -> bool:
        """In `pyinit a | pyinit b` both payloads have a group of their own, and only one can be in the foreground."""
        there = self._in_foreground()
        if there <= 0 or self._payload_group in (NONE, os.getpgrp(), there) or not _is_neighbours(there):
            return False
        self._put(self._payload_group)
        return True

    def give_back(self) -> None:
        """Puts init's own group into the foreground, if the payload's is there."""
        if not self.lent:
            return
        if os.getpgrp() == OUTSIDE:
            # As PID 1 without a session of its own (unshare --pid on a terminal) init is in a group that has no number
            # here, and that it could not put into the foreground. The keys must reach it now: it makes one of its own.
            _make_own_group()
        self._put(os.getpgrp())

    @property
    def can_be_given_up(self) -> bool:
        """Whether init leads the terminal's session and is in the foreground, as in a container with a terminal."""
        return self.foreground and os.getsid(0) == os.getpid()

    def give_up(self) -> bool:
        """Leaves the terminal so that the payload's session can take it; whether that can be.

        Only the session's leader can, and then the kernel sends HUP and CONT to the foreground group, which is
        init's own (credentials(7)). A process that lives for this moment stands in for it there: nothing has to be
        told apart from a real HUP afterwards.
        """
        if not self.can_be_given_up:
            return False
        try:
            stand_in = os.fork()
        except OSError:
            return False
        if stand_in == 0:
            try:
                # Not sigwaitinfo, which a seccomp profile may forbid.
                signal.signal(signals.HUP, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signals.HUP})
                signal.pause()
            finally:
                os._exit(0)
        try:
            os.setpgid(stand_in, stand_in)
            os.tcsetpgrp(self.descriptor, stand_in)
            fcntl.ioctl(self.descriptor, TIOCNOTTY)
        except OSError:
            return False
        finally:
            _end(stand_in)
        self.given_up = True
        return True

    def _in_foreground(self) -> int:
        """The group in the foreground, -1 where that cannot be said; 0 for one outside of this PID namespace."""
        if self.descriptor == NONE:
            return NONE
        try:
            return os.tcgetpgrp(self.descriptor)
        except OSError:
            return NONE

    def _put(self, group: int) -> None:
        try:
            os.tcsetpgrp(self.descriptor, group)
        except OSError:
            pass


def _make_own_group() -> None:
    try:
        os.setpgid(0, 0)
    except OSError:
        # A seccomp profile may forbid it.
        pass


def _is_neighbours(group: int) -> bool:
    """Whether a group is that of another payload whose init is in init's own group; or has just ended."""
    try:
        return os.getpgid(Process(group).parent) == os.getpgrp()
    except OSError:
        pass
    try:
        os.kill(-group, 0)
    except ProcessLookupError:
        # Its init is about to give the terminal back.
        return True
    except OSError:
        pass
    return False


def _end(stand_in: int) -> None:
    try:
        os.kill(stand_in, signals.KILL)
        os.waitpid(stand_in, 0)
    except OSError:
        # Where a seccomp profile forbids kill, the terminal's HUP has ended it; it is reaped as an orphan is.
        pass
