"""The peers' command lines: under the name of tini, dumb-init or catatonit, init takes that program's options.

A persona changes option syntax, environment variables, whom signals are forwarded to, group and session, exit codes
and what --help prints. All else stays pyinit's own: the grace period as PID 1, job control, being a subreaper
without being asked, the wording of messages. docs/migration.md has the differences that are on purpose.
"""

from __future__ import annotations

from collections.abc import Callable

from pyinit import arguments, cli, native
from pyinit.errors import Failure
from pyinit.options import Options
from pyinit.optiontable import Option, OptionTable, flag, louder, nothing, value

FAILED = 1
HIGHEST_OF_DUMB_INIT = 31
TINI_VERBOSITY = b"TINI_VERBOSITY"
# Where docker mounted its init before /sbin/docker-init.
DOCKERS_OLD_PATH = "/dev/init"


class Persona:
    """One program that init can stand in for."""

    __slots__ = ("apply_environment", "as_tini", "settle", "table", "usage", "variables")

    def __init__(
        self,
        table: OptionTable,
        usage: str,
        variables: str,
        apply_environment: Callable[[Options], None],
        settle: Callable[[Options], None],
        as_tini: bool = False,
    ) -> None:
        self.table = table
        self.usage = usage
        self.variables = variables
        self.apply_environment = apply_environment
        self.settle = settle
        self.as_tini = as_tini

    def parse(self, words: list[str]) -> tuple[Option | None, Options]:
        """What the command line, the persona's variables and PYINIT_OPTIONS ask for: a text, or a run.

        Raises Failure, with the exit code of the program that init stands in for.
        """
        name = self.table.program
        options = cli.from_environment()
        options.exec_failed = self.table.usage
        inherited = cli.set_aside(options)
        self.apply_environment(options)
        if self.as_tini and words == ["--version"]:
            return VERSION, options
        found, options.command = self.table.parse(words, options)
        if self.as_tini:
            _without_dashes_behind(words, options.command)
        cli.merge(options, inherited)
        asked = next((each for each in found if each.text), None)
        if asked is None and not options.command and not options.pause:
            raise Failure(f"no program to run: {self.usage} (see {name} -h)", self.table.usage)
        if asked is None and options.pause and options.command:
            raise Failure(f"-P runs no program: leave out {options.command[0]!r}", self.table.usage)
        self.settle(options)
        return asked, options

    def help_text(self) -> str:
        """What --help prints under this name."""
        what = f"This is pyinit, which takes {self.table.program}'s options."
        variables = f"In the environment: {self.variables}; {cli.VARIABLE} (see pyinit --help)."
        return f"Usage: {self.usage}\n\n{what}\n\n{self.table.help()}\n\n{variables}\n"


def _without_dashes_behind(words: list[str], command: list[str]) -> None:
    """`tini PROGRAM -- ARGS`, as tini's own usage has it: only dashes in front of PROGRAM make others its own."""
    before = words[: len(words) - len(command)]
    if before[-1:] != ["--"] and command[1:2] == ["--"]:
        del command[1]


VERSION = Option("V", "version", "", "print the version", nothing, text=True)
HELP = Option("h", "help", "", "print this", nothing, text=True)


def _success(options: Options, text: str) -> None:
    options.remap[arguments.exit_code(text)] = 0


def _none(_: Options) -> None:
    """Nothing to add."""


def _tini_environment(options: Options) -> None:
    if native.getenv(b"TINI_SUBREAPER") is not None:
        options.subreaper = True
    if native.getenv(b"TINI_KILL_PROCESS_GROUP") is not None:
        options.group = True
    verbosity = native.getenv(TINI_VERBOSITY)
    if verbosity is not None:
        # tini's 1 is its warnings, which pyinit says anyway.
        options.verbose += max(0, _leading_number(verbosity) - 1)


def _leading_number(text: bytes) -> int:
    """As atoi(3) would read it: 0 for what does not begin with digits."""
    digits = text[: len(text) - len(text.lstrip(b"0123456789"))]
    return min(int(digits[:4] or 0), 9)


def _tini_louder(options: Options, text: str) -> None:
    # The variable overrides the option, which tini reads first.
    if native.getenv(TINI_VERBOSITY) is None:
        louder(options, text)


TINI = Persona(
    OptionTable(
        "tini",
        (
            Option("h", "", "", "print this", nothing, text=True),
            Option("l", "", "", "print the licence and notices", nothing, text=True),
            Option("p", "", "SIGNAL", "init gets SIGNAL when its parent dies", value("death_signal", arguments.signal)),
            Option("v", "", "", "say what happens; twice: all of it", _tini_louder),
            Option("w", "", "", "a line for each orphan that is reaped", flag("warn_on_reap")),
            Option("g", "", "", "forward signals to the payload's process group", flag("group")),
            Option("e", "", "CODE", "exit with 0 instead of CODE", _success),
            Option("s", "", "", "adopt orphans when not PID 1 (the default)", flag("subreaper")),
        ),
        usage=FAILED,
    ),
    "tini [OPTIONS] PROGRAM -- [ARGS] | --version",
    "TINI_SUBREAPER, TINI_KILL_PROCESS_GROUP, TINI_VERBOSITY",
    _tini_environment,
    _none,
    as_tini=True,
)


def _number(text: str, lowest: int) -> int:
    if not (text.isascii() and text.isdecimal() and lowest <= int(text) <= HIGHEST_OF_DUMB_INIT):
        raise ValueError(f"give FROM:TO, numbers from 1 to {HIGHEST_OF_DUMB_INIT}, TO may be 0")
    return int(text)


def _rewrite(options: Options, text: str) -> None:
    """dumb-init's numbers, and names as pyinit takes them (dumb-init #87)."""
    old, _, new = text.partition(":")
    if old.isdecimal() and new.isdecimal():
        options.rewrite[_number(old, 1)] = _number(new, 0)
    else:
        old_number, new_number = arguments.rewrite(text)
        options.rewrite[old_number] = new_number


def _dumb_init_environment(options: Options) -> None:
    if native.getenv(b"DUMB_INIT_DEBUG") == b"1":
        options.verbose = 2
    options.same_group = native.getenv(b"DUMB_INIT_SETSID") == b"0"


def _dumb_init_settle(options: Options) -> None:
    # The payload leads its session, and so its group.
    options.session = options.group = options.term_at_end = not options.same_group
    # exec's failures all end with 2 there.
    options.not_found = options.not_executable = 2


DUMB_INIT = Persona(
    OptionTable(
        "dumb-init",
        (
            Option(
                "c", "single-child", "", "no session of its own; signals go to the payload alone", flag("same_group")
            ),
            Option("r", "rewrite", "FROM:TO", "forward signal FROM as TO; 0 drops it", _rewrite),
            Option("v", "verbose", "", "say all that happens", value("verbose", lambda _: 2)),
            HELP,
            VERSION,
        ),
        usage=FAILED,
    ),
    "dumb-init [OPTIONS] PROGRAM [ARG...]",
    "DUMB_INIT_DEBUG=1, DUMB_INIT_SETSID=0",
    _dumb_init_environment,
    _dumb_init_settle,
)


def _catatonit_environment(options: Options) -> None:
    if native.getenv(b"CATATONIT_DEBUG") is not None:
        options.verbose = 2
    if native.getenv(b"CATATONIT_LOG") is not None:
        raise Failure("CATATONIT_LOG is reserved: unset it", FAILED)


def _catatonit_settle(options: Options) -> None:
    options.not_found = options.not_executable = FAILED


CATATONIT = Persona(
    OptionTable(
        "catatonit",
        (
            Option("g", "", "", "forward signals to the payload's process group", flag("group")),
            Option("h", "", "", "print this", nothing, text=True),
            Option("L", "", "", "print the licence and notices", nothing, text=True),
            Option("P", "", "", "no program: reap until TERM or INT, then exit 0", flag("pause")),
            VERSION,
        ),
        usage=FAILED,
    ),
    "catatonit [OPTIONS] PROGRAM [ARG...] | -P",
    "CATATONIT_DEBUG",
    _catatonit_environment,
    _catatonit_settle,
)

NAMES = {
    "tini": TINI,
    "tini-static": TINI,
    "docker-init": TINI,
    "dumb-init": DUMB_INIT,
    "catatonit": CATATONIT,
    "podman-init": CATATONIT,
}


def by_program(path: str) -> Persona | None:
    """The program that init was run as, by the last part of its path; None for pyinit itself."""
    return TINI if path == DOCKERS_OLD_PATH else NAMES.get(path.rpartition("/")[2])
