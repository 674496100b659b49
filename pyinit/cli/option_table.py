"""A table of options that parses a command line and prints it as help: one for pyinit, one for each persona.

getopt rather than argparse: an init must stop parsing at the first argument that is not an option, and argparse imports
about a hundred modules.
"""

from __future__ import annotations

import getopt
from collections.abc import Callable

from pyinit.exit_codes import Failure
from pyinit.options import Options

HELP_COLUMN = 26
# getopt does not support optional arguments. `--follow=X` gets a name of its own, which no command line can contain.
WITH_ARGUMENT = "\0"
Apply = Callable[[Options, str], None]


def flag(field: str, on: bool = True) -> Apply:
    """Return a function that sets a field to `on`."""

    def apply(options: Options, _: str) -> None:
        setattr(options, field, on)

    return apply


def value(field: str, parse: Callable[[str], object]) -> Apply:
    """Return a function that sets a field to the parsed argument."""

    def apply(options: Options, text: str) -> None:
        setattr(options, field, parse(text))

    return apply


def pair(field: str, parse: Callable[[str], tuple[int, int]]) -> Apply:
    """Return a function that adds the parsed argument to a field, a dict; the last one for a key wins."""

    def apply(options: Options, text: str) -> None:
        old, new = parse(text)
        getattr(options, field)[old] = new

    return apply


def member(field: str, parse: Callable[[str], int]) -> Apply:
    """Return a function that adds the parsed argument to a field, a set."""

    def apply(options: Options, text: str) -> None:
        setattr(options, field, getattr(options, field) | {parse(text)})

    return apply


def increase_verbosity(options: Options, _: str) -> None:
    """Log more: `-v`, which may be repeated."""
    options.verbose += 1


def no_op(_: Options, __: str) -> None:
    """Set nothing: the option prints a text instead of a run."""


class Option:
    """One option: its letter and long name (either may be empty), its argument, one line of help, and its effect.

    `apply` takes the options and the argument, "" for an option without one; it raises ValueError with a message that
    says what is allowed. With `prints_text` a text is printed instead of a run (--help, --version). Such options, and
    those with `command_line_only`, are refused in PYINIT_OPTIONS. An `argument` in brackets is optional: "[=FILE]"
    allows --name and --name=FILE.
    """

    __slots__ = ("apply", "argument", "command_line_only", "help", "letter", "name", "prints_text")

    def __init__(
        self,
        letter: str,
        name: str,
        argument: str,
        help: str,
        apply: Apply,
        prints_text: bool = False,
        command_line_only: bool = False,
    ) -> None:
        self.letter = letter
        self.name = name
        self.argument = argument
        self.help = help
        self.apply = apply
        self.prints_text = prints_text
        self.command_line_only = command_line_only or prints_text

    def words(self) -> list[str]:
        """Return the option as users type it: `-g`, `--group`."""
        return ["-" + self.letter] * bool(self.letter) + ["--" + self.name] * bool(self.name)

    @property
    def optional(self) -> bool:
        """Return True if the argument is optional."""
        return self.argument.startswith("[")


class OptionTable:
    """The options of one command line. `failed` is the exit code for one that is invalid."""

    __slots__ = ("_by_word", "_letters", "_names", "_optional", "failed", "options", "program")

    def __init__(self, program: str, options: tuple[Option, ...], failed: int) -> None:
        self.program = program
        self.options = options
        self.failed = failed
        self._by_word = {word: option for option in options for word in option.words()}
        self._letters = "".join(option.letter + ":" * bool(option.argument) for option in options if option.letter)
        self._names = [
            option.name + "=" * (bool(option.argument) and not option.optional) for option in options if option.name
        ]
        for option in options:
            if option.optional:
                self._names.append(f"{WITH_ARGUMENT}{option.name}=")
                self._by_word[f"--{WITH_ARGUMENT}{option.name}"] = option
        self._optional = tuple(f"--{option.name}=" for option in options if option.optional)

    def option(self, letter: str) -> Option:
        """Return the option with this letter. Raises KeyError if there is none."""
        return self._by_word["-" + letter]

    def parse(self, words: list[str], options: Options) -> tuple[list[Option], list[str]]:
        """Apply the options at the head of `words`, in order; return them, and the words that follow.

        Raises Failure, which names the word, for an invalid option. Those before it have been applied: one of them may
        set the format in which the failure is logged.
        """
        found: list[Option] = []
        at = 0
        while at < len(words) and words[at].startswith("-") and words[at] != "-":
            if words[at] == "--":
                at += 1
                break
            # One word at a time: getopt copies the rest of the list for every option.
            pairs, used = self._option_at(words, at)
            found += [self._apply(word, argument, options) for word, argument in pairs]
            at += used
        return found, words[at:]

    def _option_at(self, words: list[str], at: int) -> tuple[list[tuple[str, str]], int]:
        """Parse one word, or two if the next is its argument; return options with arguments, and how many words."""
        word = words[at]
        if word.startswith(self._optional):
            word = f"--{WITH_ARGUMENT}{word[2:]}"
        try:
            return getopt.getopt([word], self._letters, self._names)[0], 1
        except getopt.GetoptError:
            pass
        try:
            return getopt.getopt([word, *words[at + 1 : at + 2]], self._letters, self._names)[0], 2
        except getopt.GetoptError as error:
            raise self._failure(self._explained(error)) from None

    def _apply(self, word: str, argument: str, options: Options) -> Option:
        option = self._by_word[word]
        try:
            if not argument and WITH_ARGUMENT in word:
                raise ValueError("give an argument, or leave out the =")
            option.apply(options, argument)
        except ValueError as error:
            raise self._failure(f"{word.replace(WITH_ARGUMENT, '')} {argument or repr('')}: {error}") from None
        return option

    def _explained(self, error: getopt.GetoptError) -> str:
        word = ("--" if f"option --{error.opt}" in error.msg else "-") + error.opt
        option = self._by_word.get(word)
        if option and option.argument:
            return f"{word} needs an argument: {word} {option.argument}"
        if option:
            return f"{word} takes no argument"
        if "unique prefix" in error.msg:
            matches = [known for known in self._by_word if known.startswith(word)]
            return f"{word} may be any of {', '.join(matches)}"
        known_words = ", ".join(known.words()[-1 if word.startswith("--") else 0] for known in self.options)
        return f"unknown option {word}; the options are {known_words}"

    def _failure(self, message: str) -> Failure:
        return Failure(f"{message} (see {self.program} {self.option('h').words()[-1]})", self.failed)

    def help(self) -> str:
        """Return the lines of --help that list the options."""
        lines = []
        for option in self.options:
            words = ", ".join(option.words())
            if option.argument:
                words += ("" if option.optional else "=" if option.name else " ") + option.argument
            indent = "" if option.letter else "    "
            head = f"  {indent}{words}"
            if len(head) >= HELP_COLUMN:
                lines.append(head)
                head = ""
            lines.append(f"{head:<{HELP_COLUMN}}{option.help}")
        return "\n".join(lines)
