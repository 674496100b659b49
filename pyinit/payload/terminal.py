"""The controlling terminal: which group is in its foreground, and handing it over (tty_ioctl(4), credentials(7)).

All signals are blocked, TTOU too, so tcsetpgrp(3) from the background does not stop init. A terminal that has gone away
(EIO), is not ours (ENOTTY) or is a closed descriptor (EBADF) is no reason to fail.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal

from pyinit import fds, native, signals
from pyinit.payload.payload import Payload
from pyinit.procfs.processes import Process

# For a descriptor: there is no terminal. For a foreground group: it cannot be told.
NONE = -1
# getpgrp(2) for a group of another PID namespace, further up.
OUTSIDE = 0
# asm-generic/ioctls.h; CPython has it in termios alone.
TIOCNOTTY = 0x5422


class Terminal:
    """The controlling terminal as init found it.

    `descriptor` is -1 without one. `in_foreground_at_start` is True if init's own group was in the foreground then.
    `given_up` is True once it is the controlling terminal of the payload's session instead of init's.
    """

    __slots__ = ("_payload", "descriptor", "given_up", "in_foreground_at_start")

    def __init__(self, payload: Payload) -> None:
        self._payload = payload
        self.descriptor = NONE
        self.given_up = False
        group = self._find()
        self.in_foreground_at_start = self.descriptor != NONE and group == os.getpgrp()

    def _find(self) -> int:
        """Find the terminal; return its foreground group, -1 without a terminal."""
        opened = native.open_terminal()
        if opened == -errno.ENXIO:
            # There is none (tty(4)), as for most inits: no need to ask 0 to 2.
            return NONE
        try:
            opened = fds.dup_above_stderr(opened) if opened >= 0 else NONE
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
        return self._foreground_group()

    def renumber_fd(self, first: int) -> int:
        """Move the descriptor, if init opened it itself, to `first`; return the first descriptor that is not in use."""
        if self.descriptor < first:
            return first
        fds.renumber(self.descriptor, first)
        self.descriptor = first
        return first + 1

    @property
    def payload_has_foreground(self) -> bool:
        """Return True if the payload's group is in the foreground: the terminal's keys stop and interrupt it."""
        return self._payload.group is not None and self._foreground_group() == self._payload.group

    @property
    def keys_reach_payload(self) -> bool:
        """Return True if ^C and ^Z reach the payload: it has the foreground, or a session with this terminal."""
        return self.given_up or self.payload_has_foreground

    @property
    def foreground_excludes_init(self) -> bool:
        """Return True if the payload has the foreground and init's own group, a shell's whole job, has not."""
        return self._payload.group != os.getpgrp() and self.payload_has_foreground

    def give_foreground(self) -> bool:
        """Put the payload's group into the foreground if init's own, another one, is there; return True if it was."""
        group = self._payload.group
        if group in (None, os.getpgrp()) or self._foreground_group() != os.getpgrp():
            return False
        self._set_foreground(group)
        return True

    def claim_foreground(self) -> bool:
        """As `give_foreground`, but also take it from another init's payload in this job: this payload asked for it."""
        return self.give_foreground() or self._take_from_neighbour()

    def _take_from_neighbour(self) -> bool:
        """In `pyinit a | pyinit b` both payloads have a group of their own, and only one can be in the foreground."""
        current = self._foreground_group()
        group = self._payload.group
        if current <= 0 or group in (None, os.getpgrp(), current) or not _is_neighbours(current):
            return False
        self._set_foreground(group)
        return True

    def take_foreground_back(self) -> None:
        """Put init's own group into the foreground, if the payload's is there."""
        if not self.payload_has_foreground:
            return
        if os.getpgrp() == OUTSIDE:
            # As PID 1 without a session of its own (unshare --pid on a terminal) init is in a group that has no number
            # here, so it cannot put that group into the foreground. The keys must reach init now: it makes a group.
            _make_own_group()
        self._set_foreground(os.getpgrp())

    @property
    def can_be_given_up(self) -> bool:
        """Return True if init leads the terminal's session and had the foreground, as in a container with `-t`."""
        return self.in_foreground_at_start and os.getsid(0) == os.getpid()

    def give_up(self) -> bool:
        """Detach from the terminal, so that the payload's session can take it; return False if that cannot be.

        Only the session's leader can do so, and the kernel then sends HUP and CONT to the foreground group, which is
        init's own (credentials(7)). A process that lives only for this moment stands in for it there, so that no HUP
        has to be told from a real one afterwards.
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

    def _foreground_group(self) -> int:
        """Return the foreground group; -1 where that cannot be told, 0 for one outside of this PID namespace."""
        if self.descriptor == NONE:
            return NONE
        try:
            return os.tcgetpgrp(self.descriptor)
        except OSError:
            return NONE

    def _set_foreground(self, group: int) -> None:
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
    """Return True if a group is that of another init's payload, and that init is in our group or has just exited."""
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
