"""What a received signal becomes: by -r, by what the container engine means with it, or nothing.

A signal becomes nothing if the payload has it already: the terminal sent it to the whole group, or init itself did.
"""

from __future__ import annotations

import os

from pyinit import native, signals
from pyinit.options import Options
from pyinit.report.log import Log

# Libc keeps these to itself.
DEFAULT_REWRITES = dict.fromkeys(signals.LIBC, 0)
# systemd's documented requests to halt, power off and their immediate forms (systemd(1)), and lxc's. podman sends the
# first of them to what it takes for systemd, which is every container whose command is /sbin/init (podman-run(1)).
SYSTEMD_HALT = (signals.RTMIN + 3, signals.RTMIN + 4, signals.RTMIN + 13, signals.RTMIN + 14)
SYSTEMD_REWRITES = DEFAULT_REWRITES | dict.fromkeys(SYSTEMD_HALT, signals.TERM)
# By the variable `container`, which these engines set.
CONTAINER_REWRITES = {
    b"systemd-nspawn": SYSTEMD_REWRITES,
    b"podman": SYSTEMD_REWRITES,
    b"lxc": DEFAULT_REWRITES | {signals.PWR: signals.TERM},
}


class Rewriter:
    """Turns received signals into those that the payload gets.

    `for_group` are the signals, after rewriting, that the terminal has sent to init's group last: they are for the
    payload's whole group as well. That group is not in the foreground, after `bg` and `fg`, or because the shell was
    slower than init.
    """

    __slots__ = ("_ignored_from_init", "_log", "_own_pid", "_rewrites", "_same_group", "for_group")

    def __init__(self, options: Options, log: Log) -> None:
        self._log = log
        self._own_pid = os.getpid()
        self._same_group = options.same_group
        self._rewrites = rewrites(options)
        # Init causes CONT by its own stop. Others that carry init's pid were sent before exec made this process the
        # init, and are the payload's.
        self._ignored_from_init = {signals.CONT}
        self.for_group: set[int] = set()

    def rewrite(self, number: int, code: int, sender: int) -> int:
        """Return what the payload gets for a signal with this si_code and this sender; 0 for nothing."""
        if self._has_arrived(number, code, sender):
            return 0
        becomes = self._rewrites.get(number, number)
        if becomes != number:
            what = f"becomes {signals.name(becomes)}" if becomes else "is dropped"
            self._log.debug(f"{signals.name(number)} {what}", signal=signals.name(number))
        if code == signals.SI_KERNEL and number in signals.FROM_TERMINAL:
            self.for_group.add(becomes)
        elif self.for_group:
            self.for_group.discard(becomes)
        return becomes

    def _has_arrived(self, number: int, code: int, sender: int) -> bool:
        if sender == self._own_pid:
            return number in self._ignored_from_init
        return self._same_group and code == signals.SI_KERNEL and number in signals.FROM_TERMINAL

    def ignore_from_init(self, number: int) -> None:
        """Drop this signal from now on if init is its sender: init is about to send it to its own group."""
        self._ignored_from_init.add(number)


def rewrites(options: Options) -> dict[int, int]:
    """Return what signals become, where that is not the signal itself; 0 for nothing."""
    container = native.getenv(b"container")
    found = CONTAINER_REWRITES.get(container, DEFAULT_REWRITES) if container else DEFAULT_REWRITES
    if options.stop_signals:
        # A signal of --stop-signal is meant for the payload as it is: the engine does not mean init by it.
        found = {number: becomes for number, becomes in found.items() if number not in options.stop_signals}
    if options.session:
        # The kernel drops the three for a group without a parent in its session (setpgid(2), orphaned).
        found = found | dict.fromkeys(signals.JOB_CONTROL, signals.STOP)
    return found | options.rewrite if options.rewrite else found
