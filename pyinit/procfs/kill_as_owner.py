"""Send signals to processes of another user when init lacks the capability KILL.

kill(2) needs KILL, or a user id that sender and target share. An init with the capability SETUID starts a child that
takes the target's user id and sends the signal.
"""

from __future__ import annotations

import errno
import os

import prctl

from pyinit import signals
from pyinit.procfs import processes

# setresuid(2): this id stays as it is.
UNCHANGED = -1


class OwnerSignaler:
    """Sends signals, and acts as the owner of those processes that init may not signal.

    `user` is the owner to try if /proc cannot be read, or None.
    """

    __slots__ = ("_has_kill", "_user")

    def __init__(self, user: int | None = None) -> None:
        self._user = user
        self._has_kill: bool | None = None

    def kill(self, target: int, number: int) -> None:
        """Send a signal to a target of kill(2), including processes that init may not signal.

        Signal 0 only checks, as with kill(2). In init's own group (0) only processes that init may signal are reached.
        Raises OSError as kill(2) does: PermissionError if no process was reached.
        """
        try:
            os.kill(target, number)
        except PermissionError as refused:
            self._kill_as_owners(target, number, refused)
        else:
            # kill(2) succeeds if it has signalled one process of a group, and for -1 even without any.
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
        """Return True if init may signal every process. Its capabilities never change, so they are read once."""
        if self._has_kill is None:
            self._has_kill = _has("kill")
        return self._has_kill


def _has(capability: str) -> bool:
    """Return True if init has this capability, or if a seccomp filter forbids to find out."""
    try:
        return bool(getattr(prctl.cap_effective, capability))
    except OSError:
        return True


def _owners(target: int) -> dict[int, list[int]]:
    """Return the owners of those processes in this target that init may not signal, each with the targets to signal.

    Usually that is the whole target, so that processes which are started meanwhile get the signal too. If init may
    signal some of the processes itself, it is the pids of the others. Empty without a /proc.
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
            # It has exited meanwhile.
            continue
    return refused if reached else {owner: [target] for owner in refused}


def _members(target: int) -> list[int]:
    """Return the pids to which kill(2) sends for this target. Empty unless /proc shows init's PID namespace."""
    own = os.getpid()
    try:
        if target > 0:
            return [target] if processes.proc_shows_our_pid_namespace() else []
        return [
            pid for pid in processes.pids() if pid != own and (target == signals.EVERYBODY or _group(pid) == -target)
        ]
    except OSError:
        return []


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        # It has exited meanwhile. 0 matches no target.
        return 0


def _note_owner(pid: int, refused: dict[int, list[int]]) -> None:
    try:
        owner = processes.user(pid)
    except OSError:
        # It has exited meanwhile.
        return
    # For a process of init's own user, something else has refused the signal, such as a seccomp filter. That would
    # refuse it to a child as well.
    if owner != os.geteuid():
        refused.setdefault(owner, []).append(pid)


def _kill_as(owner: int, targets: list[int], number: int) -> int:
    """Send a signal from a child with the effective user id `owner`; return 0 if it reached a process, else the errno.

    The child's real and saved user ids remain init's, so that processes of `owner` can neither stop nor trace it while
    init waits for it. It is reaped here, before init reaps other children.
    """
    try:
        child = os.fork()
    except OSError as error:
        return error.errno or errno.EAGAIN
    if child == 0:
        result = errno.EPERM
        try:
            os.setresuid(UNCHANGED, owner, UNCHANGED)
            result = _kill_all(targets, number)
        finally:
            os._exit(result)
    # Negative if a seccomp filter has killed the child.
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _kill_all(targets: list[int], number: int) -> int:
    results = set()
    for target in targets:
        try:
            os.kill(target, number)
            results.add(0)
        except OSError as error:
            results.add(error.errno or errno.EPERM)
    return min(results)
