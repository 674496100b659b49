"""Forwarding: a signal is rewritten if so asked, and sent to the payload, to its group, or to everyone.

EPERM (a payload that changed its user) and ESRCH (one that has just died) end nothing: tini exits on the first and
leaves a dead container behind (canvas-lms #1257).
"""

from __future__ import annotations

import os

from pyinit import native, signals
from pyinit.options import Options
from pyinit.procfs import processes
from pyinit.procfs.kill_as_owner import Sender
from pyinit.procfs.signal_descendants import Reach
from pyinit.report.log import Log
from pyinit.stop_recipients import Audience

NOTHING_ASKED = dict.fromkeys(signals.LIBC, 0)
# systemd's documented requests to halt, power off and their immediate forms (systemd(1)), and lxc's. podman sends the
# first of them to what it takes for systemd, which is every container whose command is /sbin/init (podman-run(1)).
SYSTEMD_HALT = (signals.RTMIN + 3, signals.RTMIN + 4, signals.RTMIN + 13, signals.RTMIN + 14)
MEANT_FOR_SYSTEMD = NOTHING_ASKED | dict.fromkeys(SYSTEMD_HALT, signals.TERM)
# What signals mean by the variable `container`, which these engines set.
MEANT = {
    b"systemd-nspawn": MEANT_FOR_SYSTEMD,
    b"podman": MEANT_FOR_SYSTEMD,
    b"lxc": NOTHING_ASKED | {signals.PWR: signals.TERM},
}


class Forwarder:
    """Sends signals on to where the options say.

    `keys` are those of the terminal's signals that came to init's own group last, and are for the payload's whole group
    as well: it has not been put into the foreground, after `bg` and `fg`, or because the shell was slower than init.
    `user` is the payload's user id if -u has changed it, otherwise None.
    """

    __slots__ = (
        "_log",
        "_moves",
        "_own_pid",
        "_passed_back",
        "_payload",
        "_rewrite",
        "_same_group",
        "_sender",
        "_target",
        "_walks",
        "keys",
    )

    def __init__(self, options: Options, payload: int, user: int | None, log: Log) -> None:
        self._payload = payload
        self._sender = Sender(user)
        self._own_pid = os.getpid()
        self._log = log
        everybody = options.all and self._own_pid == 1
        self._walks = options.all and not everybody
        # What kill(2) takes: a process, a group, or everybody.
        self._target = signals.EVERYBODY if everybody else -payload if options.group else payload
        self._same_group = options.same_group
        self._rewrite = rewrites(options)
        self._passed_back = 0
        self._moves = False
        self.keys: set[int] = set()

    def becomes(self, number: int, code: int, sender: int) -> int:
        """What the payload gets for a signal with this si_code and this sender; 0: nothing."""
        if self._arrived_already(number, code, sender):
            return 0
        becomes = self._rewrite.get(number, number)
        if becomes != number:
            what = f"becomes {signals.name(becomes)}" if becomes else "is dropped"
            self._log.debug(f"{signals.name(number)} {what}", signal=signals.name(number))
        if code == signals.SI_KERNEL and number in signals.FROM_TERMINAL:
            self.keys.add(becomes)
        elif self.keys:
            self.keys.discard(becomes)
        return becomes

    def _arrived_already(self, number: int, code: int, sender: int) -> bool:
        """Whether the payload needs no copy: the terminal sent it to the whole group, or init caused it itself."""
        if sender == self._own_pid:
            return number in signals.CAUSED_BY_INIT or number == self._passed_back
        return self._same_group and code == signals.SI_KERNEL and number in signals.FROM_TERMINAL

    def follow(self, payload: int) -> None:
        """Forward to this process from now on: it has taken the payload's place."""
        if self._target == self._payload:
            self._target = payload
        elif self._target != signals.EVERYBODY:
            # A daemon may still be on its way to a group of its own.
            self._moves = True
        self._payload = payload

    def send(self, number: int, whole_group: bool = False) -> Reach | None:
        """Send a signal, as it is, to where the options say; with `whole_group` to the payload's group at least.

        Return the walk, if it took one to reach the processes.
        """
        if self._log.verbose > 1:
            self._log.debug(f"{signals.name(number)} is forwarded", signal=signals.name(number))
        if self._walks:
            return self._send_to_descendants(number)
        target = self._target_of(number, whole_group) if whole_group or self.keys or self._moves else self._target
        if not self.kill(target, number) and target not in (self._payload, signals.EVERYBODY):
            # There is no such group any more: the payload has left it.
            self.kill(self._payload, number)
        return None

    def send_stop(self, number: int) -> Audience:
        """Send a stop signal as `send` does; return the processes that it was sent to."""
        target = self._target_of(number)
        # Made before the signal is sent: processes that are started because of the signal do not belong to it.
        audience = Audience(number, target)
        reach = self.send(number)
        return Audience(number, target, reach) if reach else audience

    def send_kill(self) -> None:
        """Send KILL to where a stop signal goes, and to the payload, which may have left its group."""
        self.send(signals.KILL)
        self.kill(self._payload, signals.KILL)

    def _target_of(self, number: int, whole_group: bool = False) -> int:
        if self._moves:
            return self._group_of(self._payload)
        if self._target == self._payload and (whole_group or number in self.keys):
            return self._group_of(self._payload)
        return self._target

    def _group_of(self, payload: int) -> int:
        """What kill(2) takes for the payload's group; for the payload alone where that is init's own."""
        try:
            group = os.getpgid(payload)
        except OSError:
            return payload
        return payload if group == os.getpgrp() else -group

    def pass_back(self, number: int) -> None:
        """Sends a signal to the others of init's own group."""
        self._passed_back = number
        self.kill(0, number)

    def _send_to_descendants(self, number: int) -> Reach:
        """Send a signal to all descendants of init; return the walk, which knows the processes that it has reached."""
        reach = Reach(lambda _: (number,), self._reach_again, spares=number != signals.KILL)
        try:
            reach.walk(lambda: processes.descendants(self._own_pid))
        except OSError as error:
            self._log.warning(f"-a: only the payload is reached: /proc: {error.strerror}")
            self.kill(self._payload, number)
        return reach

    def _reach_again(self, pid: int, number: int, _: OSError) -> None:
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


def rewrites(options: Options) -> dict[int, int]:
    """Return what each signal becomes: by -r, or else by what the container engine means by it."""
    container = native.getenv(b"container")
    meant = MEANT.get(container, NOTHING_ASKED) if container else NOTHING_ASKED
    if options.stop_signals:
        # A signal of --stop-signal is meant for the payload as it is: the engine does not mean init by it.
        meant = {number: becomes for number, becomes in meant.items() if number not in options.stop_signals}
    if options.session:
        # For a group without a parent in its session the kernel drops the others.
        meant = meant | dict.fromkeys(signals.JOB_CONTROL, signals.STOP)
    return meant | options.rewrite if options.rewrite else meant
