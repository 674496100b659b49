"""What the payload is started with, for native.fork_exec, and how that can fail."""

from __future__ import annotations

from pyinit.native.placement import Placement


class SpawnRequest:
    """A program to start, and the state in which it is to begin.

    `argv` are the program and its arguments. `placement` is its process group and session. `terminal` is a descriptor
    of the terminal whose foreground it gets, or None. `mask` is its signal mask, with bit n-1 for signal n; with
    `ignore_chld` it ignores SIGCHLD. `death_signal` is what the kernel sends to it when init dies (PR_SET_PDEATHSIG),
    or 0. `identity` are its user, group and supplementary groups, or None for init's.

    In its environment the variables `unset` are left out, those of `own_pid` hold its pid if they hold init's, and
    `assign` (NAME=VALUE) is added.
    """

    __slots__ = (
        "argv",
        "assign",
        "death_signal",
        "identity",
        "ignore_chld",
        "mask",
        "own_pid",
        "placement",
        "terminal",
        "unset",
    )

    def __init__(self, argv: list[bytes]) -> None:
        self.argv = argv
        self.placement = Placement.OWN_GROUP
        self.terminal: int | None = None
        self.mask = 0
        self.ignore_chld = False
        self.death_signal = 0
        self.identity: tuple[int, int, list[int]] | None = None
        self.unset: list[bytes] = []
        self.own_pid: list[bytes] = []
        self.assign: list[bytes] = []


class SpawnError(Exception):
    """The payload could not be started: `step` names the system call that failed, `number` is its errno."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(step, number)
        self.step = step
        self.number = number
