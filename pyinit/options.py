"""The options of one run of init, as a single value."""

from __future__ import annotations

from pyinit import exit_codes

# The environment variable with options that are read before the command line.
VARIABLE = b"PYINIT_OPTIONS"


class Options:
    """All options of one run. Durations are in seconds; None stands for a default that depends on the run."""

    __slots__ = (
        "all",
        "always_suspends",
        "command",
        "death_signal",
        "exec_failed",
        "follow",
        "grace",
        "group",
        "json",
        "kill_after",
        "not_executable",
        "not_found",
        "pause",
        "remap",
        "rewrite",
        "same_group",
        "session",
        "stop_delay",
        "stop_signals",
        "subreaper",
        "term_at_end",
        "user",
        "verbose",
        "wait",
        "warn_on_reap",
    )

    def __init__(self) -> None:
        self.command: list[str] = []
        self.group = False
        self.all = False
        self.same_group = False
        self.session = False
        self.rewrite: dict[int, int] = {}
        self.remap: dict[int, int] = {}
        self.grace: float | None = None
        self.kill_after: float | None = None
        self.stop_delay = 0.0
        self.stop_signals: frozenset[int] = frozenset()
        self.wait = False
        # None: not given. "": follow the only child that is left. Otherwise the path of the PIDFILE.
        self.follow: str | None = None
        self.subreaper: bool | None = None
        self.death_signal = 0
        self.user = ""
        self.pause = False
        self.warn_on_reap = False
        self.verbose = 0
        self.json = False
        # Set by personas only: exit codes; dumb-init's TERM for the group at the payload's end; and that dumb-init
        # suspends itself on TSTP, TTIN and TTOU even if `rewrite` changes or drops them.
        self.exec_failed = exit_codes.INTERNAL
        self.not_executable = exit_codes.NOT_EXECUTABLE
        self.not_found = exit_codes.NOT_FOUND
        self.term_at_end = False
        self.always_suspends = False
