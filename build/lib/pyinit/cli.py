"""pyinit's own command line: the option table, PYINIT_OPTIONS, and the texts that are asked for instead of a run."""

from __future__ import annotations

from pyinit import arguments, native
from pyinit.errors import Failure
from pyinit.options import Options
from pyinit.optiontable import Option, OptionTable, flag, louder, nothing, pair, value

VARIABLE = "PYINIT_OPTIONS"
USAGE = "pyinit [OPTIONS] [--] PROGRAM [ARG...]"


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
            "the payload gets its own session, and the terminal",
            flag("session"),
        ),
        Option(
            "r",
            "rewrite",
            "FROM:TO",
            "forward signal FROM as TO; 0 drops it",
            pair("rewrite", arguments.rewrite),
        ),
        Option(
            "e",
            "remap-exit",
            "CODE[:NEW]",
            "exit with NEW (0 by default) instead of CODE",
            pair("remap", arguments.remap),
        ),
        Option(
            "t",
            "grace",
            "SECONDS",
            "what is left when the payload has ended gets TERM, this long, then KILL (default 3 as PID 1)",
            value("grace", arguments.seconds),
        ),
        Option(
            "k",
            "kill-after",
            "SECONDS",
            "KILL if the payload outlives the first stop signal by this",
            value("kill_after", arguments.seconds),
        ),
        Option(
            "d",
            "stop-delay",
            "SECONDS",
            "wait this long before the first stop signal is forwarded",
            value("stop_delay", arguments.seconds),
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
            "init gets SIGNAL when its parent dies",
            value("death_signal", arguments.signal),
        ),
        Option(
            "u",
            "user",
            "USER[:GROUP]",
            "the payload's identity, by name or number",
            value("user", arguments.user),
        ),
        Option(
            "P",
            "pause",
            "",
            "no program: reap until TERM or INT, then exit 0",
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
            value("json", arguments.log_format),
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
    usage=125,
)


def parse(words: list[str]) -> tuple[Option | None, Options]:
    """What the command line and PYINIT_OPTIONS ask for: a text (the option that names it), or a run.

    Raises Failure for what they cannot mean.
    """
    options = from_environment()
    inherited = set_aside(options)
    found, options.command = TABLE.parse(words, options)
    check(options)
    merge(options, inherited)
    asked = next((each for each in found if each.text), None)
    if asked is None:
        check_command(options)
    return asked, options


def from_environment() -> Options:
    """The options that PYINIT_OPTIONS holds: always pyinit's own, whatever name init was run by."""
    options = Options()
    text = native.getenv(VARIABLE.encode())
    if text is None:
        return options
    try:
        found, rest = TABLE.parse(text.decode("utf-8", "surrogateescape").split(), options)
        check(options)
    except Failure as failure:
        raise Failure(f"{VARIABLE}: {failure.message}") from None
    misplaced = [each.words()[0] for each in found if each.alone] or [repr(each) for each in rest]
    if misplaced:
        raise Failure(f"{VARIABLE}: {misplaced[0]} belongs on the command line")
    return options


def set_aside(options: Options) -> tuple[bool, bool, bool]:
    """Takes group and session out of what PYINIT_OPTIONS asked for, before the command line is read."""
    inherited = options.group, options.same_group, options.session
    options.group = options.same_group = options.session = False
    return inherited


def merge(options: Options, inherited: tuple[bool, bool, bool]) -> None:
    """What was set aside counts again: the command line wins where it contradicts that, and adds to it elsewhere."""
    if not (options.group or options.same_group or options.session):
        options.group, options.same_group, options.session = inherited
    elif not options.same_group:
        options.group |= inherited[0]
        options.session |= inherited[2]


def check(options: Options) -> None:
    """Raises Failure for options that contradict each other."""
    if options.same_group and options.group:
        raise Failure("-c and -g contradict each other: with -c the payload has no group of its own")
    if options.same_group and options.session:
        raise Failure("-c and -S contradict each other: a session of its own is a group of its own")


def check_command(options: Options) -> None:
    """Raises Failure where there is no program to run, or one beside -P."""
    if options.pause and options.command:
        raise Failure(f"-P runs no program: leave out {options.command[0]!r}")
    if not options.pause and not options.command:
        raise Failure(f"no program to run: {USAGE} (see pyinit --help)")


def help_text() -> str:
    """--help, from the table."""
    return f"""\
Usage: {USAGE}

Starts PROGRAM, forwards signals to it, reaps every orphan, and exits with its exit code,
or with 128+n when signal n killed it; 127: not found, 126: cannot be executed, 125: pyinit itself.

{TABLE.help()}

{VARIABLE} in the environment holds options that are read before the command line.
"""
