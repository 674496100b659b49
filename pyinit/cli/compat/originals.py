"""The personas tini, dumb-init and catatonit: their options, their variables, and the names that select them."""

from __future__ import annotations

from pyinit import native
from pyinit.cli import values
from pyinit.cli.compat.base import VERSION, Persona
from pyinit.cli.option_table import Option, OptionTable, flag, increase_verbosity, value
from pyinit.cli.rows import TABLE
from pyinit.exit_codes import Failure
from pyinit.options import Options

FAILED = 1
HIGHEST_OF_DUMB_INIT = 31
TINI_VERBOSITY = b"TINI_VERBOSITY"
# Where docker mounted its init before /sbin/docker-init.
DOCKERS_OLD_PATH = "/dev/init"


def _ours(letter: str, under: str = "", name: str = "") -> Option:
    """Return pyinit's own option `letter`, under the letter and long name that the other program has for it."""
    option = TABLE.option(letter)
    return Option(under or letter, name, option.argument, option.help, option.apply, prints_text=option.prints_text)


def _remap_to_success(options: Options, text: str) -> None:
    options.remap[values.exit_code(text)] = 0


def _derive_nothing(_: Options) -> None:
    """Change nothing: tini's options need no further settings."""


def _tini_environment(options: Options) -> None:
    if native.getenv(b"TINI_SUBREAPER") is not None:
        options.subreaper = True
    if native.getenv(b"TINI_KILL_PROCESS_GROUP") is not None:
        options.group = True
    verbosity = native.getenv(TINI_VERBOSITY)
    if verbosity is not None:
        # In tini, 1 enables warnings, which pyinit logs by default.
        options.verbose += _leading_number(verbosity) - 1


def _leading_number(text: bytes) -> int:
    """Return the number at the start of a text, 0 if there is none, as atoi(3) does; 9 at the most."""
    digits = text[: len(text) - len(text.lstrip(b"0123456789"))]
    return min(int(digits[:4] or 0), 9)


def _tini_increase_verbosity(options: Options, text: str) -> None:
    # The variable overrides the option: tini reads the options first.
    if native.getenv(TINI_VERBOSITY) is None:
        increase_verbosity(options, text)


TINI = Persona(
    OptionTable(
        "tini",
        (
            _ours("h"),
            _ours("l"),
            _ours("p"),
            Option("v", "", "", TABLE.option("v").help, _tini_increase_verbosity),
            _ours("w"),
            _ours("g"),
            Option("e", "", "CODE", "exit with 0 instead of CODE", _remap_to_success),
            _ours("s"),
        ),
        failed=FAILED,
    ),
    "tini [OPTIONS] PROGRAM -- [ARGS] | --version",
    "TINI_SUBREAPER, TINI_KILL_PROCESS_GROUP, TINI_VERBOSITY",
    _tini_environment,
    _derive_nothing,
    as_tini=True,
)


def _number(text: str, lowest: int) -> int:
    if not (text.isascii() and text.isdecimal() and lowest <= int(text) <= HIGHEST_OF_DUMB_INIT):
        raise ValueError(f"give FROM:TO, numbers from 1 to {HIGHEST_OF_DUMB_INIT}, TO may be 0")
    return int(text)


def _rewrite(options: Options, text: str) -> None:
    """Apply a rewrite in dumb-init's syntax, numbers, or in pyinit's, which also allows names (dumb-init #87)."""
    old, _, new = text.partition(":")
    if old.isdecimal() and new.isdecimal():
        options.rewrite[_number(old, 1)] = _number(new, 0)
    else:
        old_number, new_number = values.rewrite(text)
        options.rewrite[old_number] = new_number


def _dumb_init_environment(options: Options) -> None:
    if native.getenv(b"DUMB_INIT_DEBUG") == b"1":
        options.verbose = 2
    options.same_group = native.getenv(b"DUMB_INIT_SETSID") == b"0"


def _dumb_init_derive(options: Options) -> None:
    # The payload leads its session, and so its group.
    options.session = options.group = options.term_at_end = not options.same_group
    options.always_suspends = True
    # dumb-init exits with 2 after any failure of exec.
    options.not_found = options.not_executable = 2


DUMB_INIT = Persona(
    OptionTable(
        "dumb-init",
        (
            Option(
                "c", "single-child", "", "start no session; forward signals to the payload only", flag("same_group")
            ),
            Option("r", "rewrite", "FROM:TO", TABLE.option("r").help, _rewrite),
            Option("v", "verbose", "", "print debug output", value("verbose", lambda _: 2)),
            _ours("h", name="help"),
            VERSION,
        ),
        failed=FAILED,
    ),
    "dumb-init [OPTIONS] PROGRAM [ARG...]",
    "DUMB_INIT_DEBUG=1, DUMB_INIT_SETSID=0",
    _dumb_init_environment,
    _dumb_init_derive,
)


def _catatonit_environment(options: Options) -> None:
    if native.getenv(b"CATATONIT_DEBUG") is not None:
        options.verbose = 2
    if native.getenv(b"CATATONIT_LOG") is not None:
        raise Failure("CATATONIT_LOG is reserved: unset it", FAILED)


def _catatonit_derive(options: Options) -> None:
    options.not_found = options.not_executable = FAILED


CATATONIT = Persona(
    OptionTable(
        "catatonit",
        (
            _ours("g"),
            _ours("h"),
            _ours("l", under="L"),
            _ours("P"),
            VERSION,
        ),
        failed=FAILED,
    ),
    "catatonit [OPTIONS] PROGRAM [ARG...] | -P",
    "CATATONIT_DEBUG",
    _catatonit_environment,
    _catatonit_derive,
)

NAMES = {
    "tini": TINI,
    "tini-static": TINI,
    "docker-init": TINI,
    "dumb-init": DUMB_INIT,
    "catatonit": CATATONIT,
    "podman-init": CATATONIT,
}


def persona_for(path: str) -> Persona | None:
    """Return the persona for the path that init was run as, or None for pyinit itself."""
    if path.endswith("pyinit"):
        # The usual case, at the price of one comparison. No other name ends like this.
        return None
    return TINI if path == DOCKERS_OLD_PATH else NAMES.get(path.rpartition("/")[2])
