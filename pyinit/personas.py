"""tini, dumb-init and catatonit: their options and variables, what they mean here, and the names that call for them."""

from __future__ import annotations

from pyinit import arguments, native
from pyinit.errors import Failure
from pyinit.options import Options
from pyinit.optiontable import Option, OptionTable, flag, louder, nothing, value
from pyinit.persona import VERSION, Persona

FAILED = 1
HIGHEST_OF_DUMB_INIT = 31
TINI_VERBOSITY = b"TINI_VERBOSITY"
# Where docker mounted its init before /sbin/docker-init.
DOCKERS_OLD_PATH = "/dev/init"

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
        failed=FAILED,
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
        failed=FAILED,
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
        failed=FAILED,
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
