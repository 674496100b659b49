"""pyinit's own command line, and the text of --help."""

from __future__ import annotations

from pyinit.cli import env_options
from pyinit.cli.option_table import Option
from pyinit.cli.rows import TABLE, check
from pyinit.exit_codes import Failure
from pyinit.options import VARIABLE, Options

USAGE = "pyinit [OPTIONS] [--] PROGRAM [ARG...]"
USAGE_AND_HELP = f"{USAGE} (see pyinit --help)"


def parse(words: list[str], options: Options) -> Option | None:
    """Applies PYINIT_OPTIONS and the command line; the option that asks for a text, None for a run.

    Raises Failure for what they cannot mean; what stood before that has been applied.
    """
    env_options.apply(options)
    inherited = env_options.set_aside(options)
    found, options.command = TABLE.parse(words, options)
    check(options)
    env_options.merge(options, inherited)
    return asked(found, options, USAGE_AND_HELP)


def asked(found: list[Option], options: Options, usage: str, code: int = TABLE.failed) -> Option | None:
    """The first option that asks for a text; None for a run.

    Raises Failure, with this usage and exit code, where there is no program to run, or one beside -P.
    """
    for each in found:
        if each.text:
            return each
    if options.pause and options.command:
        raise Failure(f"-P runs no program: leave out {options.command[0]}", code)
    if not options.pause and not options.command:
        raise Failure(f"no program to run: {usage}", code)
    return None


def help_text() -> str:
    """--help, from the table."""
    return f"""\
Usage: {USAGE}

Starts PROGRAM, forwards signals to it, reaps every orphan, and exits with its exit code,
or with 128+n when signal n killed it; 127: not found, 126: cannot be executed, 125: pyinit itself.

{TABLE.help()}

{VARIABLE.decode()} in the environment holds options that are read before the command line.
"""
