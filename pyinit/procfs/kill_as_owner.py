"""Send signals to processes of another user when init lacks the capability KILL.

kill(2) needs KILL, or a user id that sender and target share. An init that may change its user id (SETUID) starts a
child that takes the target's user id and sends the signal.
"""

from __future__ import annotations

import errno
import os

import prctl

from pyinit import signals
from pyinit.procfs import processes

# setresuid(2): this id stays as it is.
UNCHANGED = -1


class Sender:
    """Sends signals, acting as the owner of processes that init may not signal.

    `user` is the owner if /proc does not tell, or None.
    """

    __slots__ = ("_has_kill", "_user")

    def __init__(self, user: int | None = None) -> None:
        self._user = user
        self._has_kill: bool | None = None

    def kill(self, target: int, number: int) -> None:
        """Send a signal to a target of kill(2), to those of its processes too that init may not signal.

        Signal 0 only checks, as with kill(2). In init's own group (0) only processes that init may signal are reached.
        Raises OSError as kill(2) does: PermissionError if it reached none.
        """
        try:
            os.kill(target, number)
        except PermissionError as refused:
            self._kill_as_owners(target, number, refused)
        else:
            # For a group, success means that one process was signalled; for everybody it may mean none.
            if target < 0 and not (self._has_kill or self._reaches_all()):
                self._kill_as_owners(target, number, None)

    def _kill_as_owners(self, target: int, number: int, refused: PermissionError | None) -> None:
        results = []
        if _has("setuid"):
            owners = _owners(target)
            user = self._user
            if not owners and user not in (None, os.getuid()) and (refused or target == signals.EVERYBODY):
                owners = {user: [target]}
            results = [_kill_as(owner, targets, number) for owner, targets in owners.items()]
        if refused and 0 not in results:
            if errno.ESRCH in results:
                raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
            raise refused

    def _reaches_all(self) -> bool:
        """Return True if init may signal every process. It is asked once: init's capabilities never change."""
        if self._has_kill is None:
            self._has_kill = _has("kill")
        return self._has_kill


def _has(capability: str) -> bool:
    """Return True if init has this capability, or if a seccomp filter forbids to ask."""
    try:
        return bool(getattr(prctl.cap_effective, capability))
    except OSError:
        return True


def _owners(target: int) -> dict[int, list[int]]:
    """Return the owners of the processes in this target that init may not signal, and what each owner is to signal.

    That is the whole target in one call, so that no process that starts meanwhile is missed; but if init has reached
    some of the target itself, it is the other processes one by one. Empty without a /proc.
    """
    reached = False
    refused: dict[int, list[int]] = {}
    for pid in _members(target):
        try:
            os.kill(pid, 0)
            reached = True
        except PermissionError:
            _note_owner(pid, refused)
        except OSError:
            # It has ended meanwhile.
            continue
    return refused if reached else {owner: [target] for owner in refused}


def _members(target: int) -> list[int]:
    """Return the pids that kill(2) takes this target for. Empty without a /proc that has init's pids."""
    own = os.getpid()
    try:
        if target > 0:
            return [target] if processes.counts_as_init() else []
        return [
            pid for pid in processes.pids() if pid != own and (target == signals.EVERYBODY or _group(pid) == -target)
        ]
    except OSError:
        return []


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        # It has ended meanwhile. 0 matches no target.
        return 0


def _note_owner(pid: int, refused: dict[int, list[int]]) -> None:
    try:
        owner = processes.user(pid)
    except OSError:
        # It has ended meanwhile.
        return
    # Of init's own user it was refused by something else, a seccomp filter for one, which refuses a child as well.
    if owner != os.geteuid():
        refused.setdefault(owner, []).append(pid)


def _kill_as(owner: int, targets: list[int], number: int) -> int:
    """Send a signal from a child with the user id `owner`; return 0 if that reached something, else the errno.

    The child's real and saved user ids stay init's: processes of `owner` can neither stop nor trace it while init waits
    for it. It is reaped here, before init looks for other children again.
    """
    try:
        child = os.fork()
    except OSError as error:
        return error.errno or errno.EAGAIN
    if child == 0:
        result = errno.EPERM
        try:
            os.setresuid(UNCHANGED, owner, UNCHANGED)
            result = _kill_each(targets, number)
        finally:
            os._exit(result)
    # Negative for a child that a seccomp filter has killed.
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _kill_each(targets: list[int], number: int) -> int:
    results = set()
    for target in targets:
        try:
            os.kill(target, number)
            results.add(0)
        except OSError as error:
            results.add(error.errno or errno.EPERM)
    return min(results)
