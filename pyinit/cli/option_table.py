"""A table of options: parsed by getopt, printed as help; one for pyinit itself and one for each persona.

getopt rather than argparse: an init's options end at the first word that is none, and importing argparse drags in a
hundred modules.
"""

from __future__ import annotations

import getopt
from collections.abc import Callable

from pyinit.exit_codes import Failure
from pyinit.options import Options

WIDTH = 26
# getopt knows no optional arguments. `--follow=X` gets a name of its own, which no command line can contain.
WITH_ARGUMENT = "\0"
Apply = Callable[[Options, str], None]


def flag(field: str, on: bool = True) -> Apply:
    """An option that sets or clears a field."""

    def apply(options: Options, _: str) -> None:
        setattr(options, field, on)

    return apply


def value(field: str, parse: Callable[[str], object]) -> Apply:
    """An option whose argument becomes a field's value."""

    def apply(options: Options, text: str) -> None:
        setattr(options, field, parse(text))

    return apply


def pair(field: str, parse: Callable[[str], tuple[int, int]]) -> Apply:
    """An option whose argument becomes an entry of a field's dict; the last one for a key wins."""

    def apply(options: Options, text: str) -> None:
        old, new = parse(text)
        getattr(options, field)[old] = new

    return apply


def member(field: str, parse: Callable[[str], int]) -> Apply:
    """An option that may be given several times; a field holds the set of its arguments."""

    def apply(options: Options, text: str) -> None:
        setattr(options, field, getattr(options, field) | {parse(text)})

    return apply


def louder(options: Options, _: str) -> None:
    """-v, which counts."""
    options.verbose += 1


def nothing(_: Options, __: str) -> None:
    """An option that asks for a text."""


class Option:
    """One option: its letter and long name (either may be empty), what it takes, what it does, in a line.

    `apply` gets the options and the argument's text, "" where it takes none, and raises ValueError with what would
    be right. A `text` option asks for a text instead of a run (--help, --version); `alone` ones too make sense on
    the command line only. An `argument` in brackets may be left out: "[=FILE]" stands for --name and --name=FILE.
    """

    __slots__ = ("alone", "apply", "argument", "help", "letter", "name", "text")

    def __init__(
        self,
        letter: str,
        name: str,
        argument: str,
        help: str,
        apply: Apply,
        text: bool = False,
        alone: bool = False,
    ) -> None:
        self.letter = letter
        self.name = name
        self.argument = argument
        self.help = help
        self.apply = apply
        self.text = text
        self.alone = alone or text

    def words(self) -> list[str]:
        """The option as users type it: `-g`, `--group`."""
        return ["-" + self.letter] * bool(self.letter) + ["--" + self.name] * bool(self.name)

    @property
    def optional(self) -> bool:
        """Return True if its argument may be left out."""
        return self.argument.startswith("[")


class OptionTable:
    """The options that one command line knows; `failed` is the exit code of words that it does not."""

    __slots__ = ("_by_word", "_letters", "_names", "_optional", "failed", "options", "program")

    def __init__(self, program: str, options: tuple[Option, ...], failed: int) -> None:
        self.program = program
        self.options = options
        self.failed = failed
        self._by_word = {word: each for each in options for word in each.words()}
        self._letters = "".join(each.letter + ":" * bool(each.argument) for each in options if each.letter)
        self._names = [each.name + "=" * (bool(each.argument) and not each.optional) for each in options if each.name]
        for each in options:
            if each.optional:
                self._names.append(f"{WITH_ARGUMENT}{each.name}=")
                self._by_word[f"--{WITH_ARGUMENT}{each.name}"] = each
        self._optional = tuple(f"--{each.name}=" for each in options if each.optional)

    def option(self, letter: str) -> Option:
        """The option of this letter. Raises KeyError if there is none."""
        return self._by_word["-" + letter]

    def parse(self, words: list[str], options: Options) -> tuple[list[Option], list[str]]:
        """Applies the options at the head of `words`, in their order.

        Returns those options, and the words that follow them. Raises Failure, with the word that was wrong, for
        what the table does not know; what stood before it has been applied, and may say how to log the failure.
        """
        found: list[Option] = []
        at = 0
        while at < len(words) and words[at].startswith("-") and words[at] != "-":
            if words[at] == "--":
                at += 1
                break
            # Word by word, because getopt copies all that are left for each option.
            pairs, used = self._option_at(words, at)
            found += [self._apply(word, argument, options) for word, argument in pairs]
            at += used
        return found, words[at:]

    def _option_at(self, words: list[str], at: int) -> tuple[list[tuple[str, str]], int]:
        """Split one word, or two where its argument is the next one; return the options and the number of words."""
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
            close = [each for each in self._by_word if each.startswith(word)]
            return f"{word} may be any of {', '.join(close)}"
        known = ", ".join(each.words()[-1 if word.startswith("--") else 0] for each in self.options)
        return f"unknown option {word}; the options are {known}"

    def _failure(self, message: str) -> Failure:
        return Failure(f"{message} (see {self.program} {self.option('h').words()[-1]})", self.failed)

    def help(self) -> str:
        """The table as lines of text, for --help."""
        lines = []
        for each in self.options:
            words = ", ".join(each.words())
            if each.argument:
                words += ("" if each.optional else "=" if each.name else " ") + each.argument
            indent = "" if each.letter else "    "
            head = f"  {indent}{words}"
            if len(head) >= WIDTH:
                lines.append(head)
                head = ""
            lines.append(f"{head:<{WIDTH}}{each.help}")
        return "\n".join(lines)
