"""Forwarding: deliver a signal to the payload, to its group, or to everyone.

Neither EPERM (the payload has changed its user) nor ESRCH (it has just exited) ends init: tini exits on the first, and
leaves a dead container behind (canvas-lms #1257).
"""

from __future__ import annotations

import os

from pyinit import signals
from pyinit.options import Options
from pyinit.payload.payload import Payload
from pyinit.procfs import processes
from pyinit.procfs.kill_as_owner import OwnerSignaler
from pyinit.procfs.signal_descendants import DescendantSignaler
from pyinit.report.log import Log
from pyinit.stop_recipients import StopRecipients


class Forwarder:
    """Sends signals to where the options say. `user` is the payload's user id if -u has changed it, otherwise None."""

    __slots__ = ("_group", "_log", "_own_pid", "_payload", "_sender", "_target", "_walks")

    def __init__(self, options: Options, payload: Payload, user: int | None, log: Log) -> None:
        self._payload = payload
        self._sender = OwnerSignaler(user)
        self._own_pid = os.getpid()
        self._log = log
        everybody = options.all and self._own_pid == 1
        # -a as a subreaper: no call of kill(2) reaches all descendants.
        self._walks = options.all and not everybody
        self._group = options.group and not everybody
        # What kill(2) takes: a process, a group, or everybody. 0 if that must be looked up each time: a daemon that is
        # followed may still be on its way to a group of its own.
        self._target = signals.EVERYBODY if everybody else -payload.pid if options.group else payload.pid

    def payload_replaced(self) -> None:
        """Send signals to another process from now on: it has taken the payload's place."""
        if self._target != signals.EVERYBODY:
            self._target = 0 if self._group else self._payload.pid

    def send(self, number: int, whole_group: bool = False) -> DescendantSignaler | None:
        """Send a signal, as it is, to where the options say; with `whole_group` to the payload's group at least.

        Return the walk, if it took one to reach the processes.
        """
        if self._log.verbose > 1:
            self._log.debug(f"{signals.name(number)} is forwarded", signal=signals.name(number))
        if self._walks:
            return self._send_to_descendants(number)
        target = self._current_target(whole_group) if whole_group or not self._target else self._target
        if not self.kill(target, number) and target not in (self._payload.pid, signals.EVERYBODY):
            # There is no such group any more: the payload has left it.
            self.kill(self._payload.pid, number)
        return None

    def send_stop(self, number: int, whole_group: bool = False) -> StopRecipients:
        """Send a stop signal as `send` does; return the processes that it was sent to."""
        target = self._current_target(whole_group)
        # Made before the signal is sent: processes that are started because of the signal do not belong to it.
        recipients = StopRecipients(number, target)
        walk = self.send(number, whole_group)
        return StopRecipients(number, target, walk) if walk else recipients

    def send_kill(self) -> None:
        """Send KILL to where a stop signal goes, and to the payload, which may have left its group."""
        self.send(signals.KILL)
        self.kill(self._payload.pid, signals.KILL)

    def _current_target(self, whole_group: bool) -> int:
        if not self._target or (whole_group and self._target == self._payload.pid):
            return self._current_group()
        return self._target

    def _current_group(self) -> int:
        """Return what kill(2) takes for the payload's group; for the payload alone if that group is init's own."""
        try:
            group = self._payload.current_group()
        except OSError:
            return self._payload.pid
        return self._payload.pid if group == os.getpgrp() else -group

    def resend_to_own_group(self, number: int) -> None:
        """Send a signal to the others in init's own group."""
        self.kill(0, number)

    def _send_to_descendants(self, number: int) -> DescendantSignaler:
        """Send a signal to all descendants of init; return the walk, which knows the processes that it has reached."""
        walk = DescendantSignaler(lambda _: (number,), self._retry, spare_new=number != signals.KILL)
        try:
            walk.walk(lambda: processes.descendants(self._own_pid))
        except OSError as error:
            self._log.warning(f"-a: only the payload is reached: /proc: {error.strerror}")
            self.kill(self._payload.pid, number)
        return walk

    def _retry(self, pid: int, number: int, _: OSError) -> None:
        self.kill(pid, number)

    def kill(self, target: int, number: int) -> bool:
        """Send a signal to a target of kill(2); return False if there is no such process or group.

        Any other error is logged and not raised.
        """
        try:
            self._sender.kill(target, number)
        except ProcessLookupError:
            whom = f"process {target}" if target > 0 else f"process group {-target}"
            self._log.debug(f"{signals.name(number)} not delivered: {whom} has exited")
            return False
        except OSError as error:
            self._log.warning(
                f"{signals.name(number)} could not be sent to {target}: {error.strerror}",
                signal=signals.name(number),
                pid=target,
            )
        return True
