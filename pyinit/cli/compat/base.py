"""A persona: the command line of another init, for a pyinit that is run under that program's name.

A persona has its own option syntax, environment variables, recipients of signals, process group and session, exit codes
and --help. Everything else stays pyinit's: the grace period as PID 1, job control, being a subreaper by default, the
wording of messages. docs/migration.md lists the intended differences.
"""

from __future__ import annotations

from collections.abc import Callable

from pyinit.cli import cli, env_options
from pyinit.cli.option_table import Option, OptionTable, no_op
from pyinit.options import VARIABLE, Options

VERSION = Option("V", "version", "", "print the version", no_op, prints_text=True)


class Persona:
    """The command line of one program, tini for example.

    `apply_environment` applies the program's own environment variables before the command line is parsed, and
    `derive_options` sets what follows from all options afterwards. `variables` lists those variables for --help.
    """

    __slots__ = ("apply_environment", "as_tini", "derive_options", "table", "usage", "variables")

    def __init__(
        self,
        table: OptionTable,
        usage: str,
        variables: str,
        apply_environment: Callable[[Options], None],
        derive_options: Callable[[Options], None],
        as_tini: bool = False,
    ) -> None:
        self.table = table
        self.usage = usage
        self.variables = variables
        self.apply_environment = apply_environment
        self.derive_options = derive_options
        self.as_tini = as_tini

    def parse(self, words: list[str], options: Options) -> Option | None:
        """Apply PYINIT_OPTIONS, the persona's variables and the command line; see cli.parse.

        Raises Failure with the exit code that the other program has for an invalid option.
        """
        name = self.table.program
        env_options.apply_env_options(options)
        options.exec_failed = self.table.failed
        inherited = env_options.take_group_options(options)
        self.apply_environment(options)
        if self.as_tini and words == ["--version"]:
            return VERSION
        found, options.command = self.table.parse(words, options)
        if self.as_tini:
            _drop_dashes_after_program(words, options.command)
        env_options.merge_group_options(options, inherited)
        text_option = cli.text_option(found, options, f"{self.usage} (see {name} -h)", self.table.failed)
        self.derive_options(options)
        return text_option

    def help_text(self) -> str:
        """Return the text of --help."""
        intro = f"This is pyinit, which accepts {self.table.program}'s options."
        variables = f"Environment variables: {self.variables}; {VARIABLE.decode()} (see pyinit --help)."
        return f"Usage: {self.usage}\n\n{intro}\n\n{self.table.help()}\n\n{variables}\n"


def _drop_dashes_after_program(words: list[str], command: list[str]) -> None:
    """Drop the `--` of `tini PROGRAM -- ARGS`, tini's own usage; after `tini -- PROGRAM` it is an argument."""
    before = words[: len(words) - len(command)]
    if before[-1:] != ["--"] and command[1:2] == ["--"]:
        del command[1]
