"""A program that init can stand in for: its command line, under whose name init is run.

A persona changes option syntax, environment variables, whom signals are forwarded to, group and session, exit codes
and what --help prints. All else stays pyinit's own: the grace period as PID 1, job control, being a subreaper
without being asked, the wording of messages. docs/migration.md has the differences that are on purpose.
"""

from __future__ import annotations

from collections.abc import Callable

from pyinit.cli import cli, env_options
from pyinit.cli.option_table import Option, OptionTable, nothing
from pyinit.options import VARIABLE, Options

VERSION = Option("V", "version", "", "print the version", nothing, text=True)


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

    def parse(self, words: list[str], options: Options) -> Option | None:
        """Applies PYINIT_OPTIONS, the persona's variables and the command line; see cli.parse.

        Raises Failure, with the exit code of the program that init stands in for.
        """
        name = self.table.program
        env_options.apply(options)
        options.exec_failed = self.table.failed
        inherited = env_options.set_aside(options)
        self.apply_environment(options)
        if self.as_tini and words == ["--version"]:
            return VERSION
        found, options.command = self.table.parse(words, options)
        if self.as_tini:
            _without_dashes_behind(words, options.command)
        env_options.merge(options, inherited)
        asked = cli.asked(found, options, f"{self.usage} (see {name} -h)", self.table.failed)
        self.settle(options)
        return asked

    def help_text(self) -> str:
        """What --help prints under this name."""
        what = f"This is pyinit, which takes {self.table.program}'s options."
        variables = f"In the environment: {self.variables}; {VARIABLE.decode()} (see pyinit --help)."
        return f"Usage: {self.usage}\n\n{what}\n\n{self.table.help()}\n\n{variables}\n"


def _without_dashes_behind(words: list[str], command: list[str]) -> None:
    """`tini PROGRAM -- ARGS`, as tini's own usage has it: only dashes in front of PROGRAM make others its own."""
    before = words[: len(words) - len(command)]
    if before[-1:] != ["--"] and command[1:2] == ["--"]:
        del command[1]
