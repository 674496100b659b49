"""pyinit's own options. A test compares docs/usage.md, the manual page and the completions with this table."""

from __future__ import annotations

from pyinit.cli import values
from pyinit.cli.option_table import Option, OptionTable, flag, increase_verbosity, member, no_op, pair, value
from pyinit.exit_codes import Failure
from pyinit.options import Options

TABLE = OptionTable(
    "pyinit",
    (
        Option("g", "group", "", "forward signals to the payload's process group", flag("group")),
        Option("a", "all", "", "forward signals to all processes (PID 1) or all descendants", flag("all")),
        Option("c", "same-group", "", "keep the payload in init's process group", flag("same_group")),
        Option(
            "S",
            "session",
            "",
            "start the payload in its own session, with the terminal if init led its session",
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
            "when the payload exits, stop processes it left; KILL after SECONDS (PID 1 without -W: 3)",
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
            "wait SECONDS before forwarding the first stop signal",
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
            "when the payload exits with 0, follow the daemon it leaves, or the one PIDFILE names",
            value("follow", str),
        ),
        Option(
            "W",
            "wait",
            "",
            "when the payload exits, wait for the processes it left to exit by themselves",
            flag("wait"),
        ),
        Option(
            "s",
            "subreaper",
            "",
            "adopt orphans when not PID 1 (default)",
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
            "run the payload as USER, by name or number",
            value("user", values.user),
        ),
        Option(
            "P",
            "pause",
            "",
            "run no program: reap orphans until TERM, INT or a --stop-signal, then exit with 0",
            flag("pause"),
            command_line_only=True,
        ),
        Option(
            "w",
            "warn-on-reap",
            "",
            "log a line for every reaped orphan",
            flag("warn_on_reap"),
        ),
        Option("v", "verbose", "", "log more; repeat for debug output", increase_verbosity),
        Option(
            "",
            "log-format",
            "text|json",
            "format of the log lines on standard error",
            value("json", values.log_format),
        ),
        Option("", "tree", "", "print the processes as a tree", no_op, prints_text=True),
        Option("l", "license", "", "print the licence, and those of the linked libraries", no_op, prints_text=True),
        Option(
            "V",
            "version",
            "",
            "print the version; with -v also the hashes of its sources",
            no_op,
            prints_text=True,
        ),
        Option("h", "help", "", "print this help", no_op, prints_text=True),
    ),
    failed=125,
)


def check(options: Options) -> None:
    """Raise Failure if options contradict each other."""
    if options.same_group and options.group:
        raise Failure("-c and -g contradict each other: with -c the payload has no process group of its own")
    if options.same_group and options.session:
        raise Failure("-c and -S contradict each other: a new session is always a new process group")
