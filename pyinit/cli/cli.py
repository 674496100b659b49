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
    """Apply PYINIT_OPTIONS and the command line; return the option that prints a text instead of a run, or None.

    Raises Failure for an invalid option; those before it have been applied.
    """
    env_options.apply_env_options(options)
    inherited = env_options.take_group_options(options)
    found, options.command = TABLE.parse(words, options)
    check(options)
    env_options.merge_group_options(options, inherited)
    return text_option(found, options, USAGE_AND_HELP)


def text_option(found: list[Option], options: Options, usage: str, code: int = TABLE.failed) -> Option | None:
    """Return the first option that prints a text instead of a run, or None.

    Raises Failure, with this usage and exit code, if there is no program to run, or one in addition to -P.
    """
    for option in found:
        if option.prints_text:
            return option
    if options.pause and options.command:
        raise Failure(f"-P does not take a program (got: {options.command[0]})", code)
    if not options.pause and not options.command:
        raise Failure(f"no program to run: {usage}", code)
    return None


def help_text() -> str:
    """Return the text of --help."""
    return f"""\
Usage: {USAGE}

Starts PROGRAM, forwards signals to it, reaps every orphan, and exits with its exit code, or with
128+n if signal n killed it; 127: not found, 126: cannot be executed, 125: pyinit itself failed.

{TABLE.help()}

Options in the environment variable {VARIABLE.decode()} are read before the command line.
"""
