"""pyinit's own options: docs/usage.md, the manual page, the completions and --help are all compared with this table."""

from __future__ import annotations

from pyinit.cli import values
from pyinit.cli.option_table import Option, OptionTable, flag, louder, member, nothing, pair, value
from pyinit.exit_codes import Failure
from pyinit.options import Options

TABLE = OptionTable(
    "pyinit",
    (
        Option("g", "group", "", "forward signals to the payload's process group", flag("group")),
        Option("a", "all", "", "forward signals to every process init answers for", flag("all")),
        Option("c", "same-group", "", "the payload stays in init's process group", flag("same_group")),
        Option(
            "S",
            "session",
            "",
            "the payload gets its own session, and the terminal if init led its session",
            flag("session"),
        ),
        Option(
            "r",
            "rewrite",
            "FROM:TO",
            "forward signal FROM as TO; 0 drops it",
            pair("rewrite", values.rewrite),
        ),
        Option(
            "e",
            "remap-exit",
            "CODE[:NEW]",
            "exit with NEW (0 by default) instead of CODE",
            pair("remap", values.remap),
        ),
        Option(
            "t",
            "grace",
            "SECONDS",
            "when the payload exits, stop what it left; KILL after SECONDS (3 as PID 1 without -W)",
            value("grace", values.seconds),
        ),
        Option(
            "k",
            "kill-after",
            "SECONDS",
            "send KILL if the payload is still running SECONDS after the first stop signal",
            value("kill_after", values.seconds),
        ),
        Option(
            "d",
            "stop-delay",
            "SECONDS",
            "wait this long before the first stop signal is forwarded",
            value("stop_delay", values.seconds),
        ),
        Option(
            "",
            "stop-signal",
            "SIGNAL",
            "treat SIGNAL as a stop signal, like TERM, INT and QUIT; may be repeated",
            member("stop_signals", values.stop_signal),
        ),
        Option(
            "",
            "follow",
            "[=PIDFILE]",
            "when the payload exits with 0, follow the child it leaves, or the one PIDFILE names",
            value("follow", str),
        ),
        Option(
            "W",
            "wait",
            "",
            "when the payload has ended, wait for what is left to end by itself",
            flag("wait"),
        ),
        Option(
            "s",
            "subreaper",
            "",
            "adopt orphans when not PID 1 (the default then)",
            flag("subreaper"),
        ),
        Option("", "no-subreaper", "", "do not adopt orphans", flag("subreaper", False)),
        Option(
            "p",
            "parent-death-signal",
            "SIGNAL",
            "send SIGNAL to init when its parent dies, and to the payload when init dies",
            value("death_signal", values.signal),
        ),
        Option(
            "u",
            "user",
            "USER[:GROUP]",
            "the payload's identity, by name or number",
            value("user", values.user),
        ),
        Option(
            "P",
            "pause",
            "",
            "no program: reap until TERM, INT or a --stop-signal comes, then exit 0",
            flag("pause"),
            alone=True,
        ),
        Option(
            "w",
            "warn-on-reap",
            "",
            "a line for each orphan that is reaped",
            flag("warn_on_reap"),
        ),
        Option("v", "verbose", "", "say what happens; twice: all of it", louder),
        Option(
            "",
            "log-format",
            "text|json",
            "the form of the lines on standard error",
            value("json", values.log_format),
        ),
        Option("", "tree", "", "print the processes as a tree", nothing, text=True),
        Option("l", "license", "", "print the licence and notices", nothing, text=True),
        Option(
            "V",
            "version",
            "",
            "print the version; with -v the sources' hashes",
            nothing,
            text=True,
        ),
        Option("h", "help", "", "print this", nothing, text=True),
    ),
    failed=125,
)


def check(options: Options) -> None:
    """Raises Failure for options that contradict each other."""
    if options.same_group and options.group:
        raise Failure("-c and -g contradict each other: with -c the payload has no group of its own")
    if options.same_group and options.session:
        raise Failure("-c and -S contradict each other: a session of its own is a group of its own")
