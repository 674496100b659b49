"""One life of an init that was started in hostile surroundings, and whether it kept its word.

The payload gets exactly what it would have without an init, a signal is forwarded, an orphan reaped, TERM ends the
payload and its exit code is the init's. Or the init says in one line why it cannot, and leaves nobody behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from pyinit import exit_codes
from tests.support import procfs
from tests.support.cleanup import left_running
from tests.support.commands import Word, payload
from tests.support.harness import Init
from tests.support.outcomes import CRASHED, ENDED, HELD, HUNG, LEFT, LOST, SILENT, WRONG
from tests.support.polling import PATIENCE, NotInTimeError, until
from tests.support.streams import Stream

CHANGED, UNREAPED = "payload given something else", "orphan not reaped"
CODE = 42
SEPARATOR = "; "  # between the lines of the payload's report that differ
NUMBER = 100  # of the descriptor through which the payload speaks


class Start(NamedTuple):
    """What an init is started with: words for payloads/prepare.c and payloads/refuse.c.

    `line` is what the init must say where it cannot do its job; `frozen_only`: the interpreter itself would not get
    as far as main(); `from_source`: lines of the payload's report that may differ there, as they must be.
    """

    name: str
    prepare: tuple[Word, ...] = ()
    refuse: tuple[str, ...] = ()
    line: str = ""
    frozen_only: bool = False
    from_source: Mapping[str, str] = MappingProxyType({})

    @property
    def filter(self) -> list[str]:
        """The words that become the init under a seccomp filter."""
        return payload("refuse", *self.refuse, "--") if self.refuse else []


class Result(NamedTuple):
    """How it went; the exit code and standard error, or what else shows it."""

    outcome: str
    code: int | None
    detail: str


class _BrokenError(Exception):
    """The init has broken its word."""

    def __init__(self, outcome: str, detail: str = "") -> None:
        super().__init__(outcome, detail)
        self.outcome = outcome
        self.detail = detail


def live(
    program: Sequence[Word],
    start: Start,
    place: str | Sequence[Word] = "pid1",
    *,
    inner: int = 0,
    changed: Mapping[str, str] = MappingProxyType({}),
    patience: float = PATIENCE,
) -> Result:
    """Start an init (`program`), live one life with it, and tell how it went.

    `inner` is how many more inits there are below the first; `changed` the lines of the payload's report that differ
    from what it says without an init, and what they must be. After `patience` seconds it counts as hung.
    """
    others = set(procfs.children(os.getpid()))
    # Not at the same time: some limits count the processes of a user.
    expected = {**_bare(start, place), **changed}
    with _Life(program, start, place, patience) as life:
        others.add(life.init.process.pid)
        try:
            life.steps(expected, inner)
        except _BrokenError as broken:
            ended = Result(broken.outcome, None, broken.detail)
        else:
            ended = life.end()
    return Result(LEFT, ended.code, ended.detail) if left_running(others, patience) else ended


def _bare(start: Start, place: str | Sequence[Word]) -> Mapping[str, str]:
    """What the payload says without an init, whose argv[0] is not the payload's."""
    prepare = tuple(word for word in start.prepare if not os.fsdecode(word).startswith(("argv0", "no-arguments")))
    with _Life((), start._replace(prepare=prepare), place) as life:
        return life.report()


class _Life:
    def __init__(
        self, program: Sequence[Word], start: Start, place: str | Sequence[Word], patience: float = PATIENCE
    ) -> None:
        self._patience = patience
        reader, writer = os.pipe()
        # Standard streams may be closed: what the payload says has a way of its own.
        self._said = Stream(reader)
        # Through another number, what the payload is told and has open would differ from life to life.
        descriptor = fcntl.fcntl(writer, fcntl.F_DUPFD_CLOEXEC, NUMBER)
        os.close(writer)
        try:
            assert descriptor == NUMBER, f"{NUMBER} is somebody else's"
            words = payload("witness", str(descriptor), "an argument", "")
            self.init = Init(
                [*start.filter, *program], words, place=place, prepare=start.prepare, pass_fds=[descriptor]
            )
        finally:
            os.close(descriptor)

    def __enter__(self) -> _Life:
        return self

    def __exit__(self, *_: object) -> None:
        self.init.close()
        self._said.close()

    def report(self) -> dict[str, str]:
        """What the payload says of its start, line by line; nothing if it was not started."""
        self._await(lambda: "ready\n" in self._said.text, "the payload")
        lines = self._said.text.partition("ready\n")
        return {name: value for name, _, value in (line.partition(" ") for line in lines[0].splitlines())}

    def steps(self, expected: Mapping[str, str], inner: int) -> None:
        """Ask for one part after the other; whatever happens, stop when the init has ended."""
        given = self.report()
        if self._ended():
            return
        different = sorted(name for name in {*given, *expected} if given.get(name) != expected.get(name))
        if different:
            detail = SEPARATOR.join(f"{name}: {given.get(name)} instead of {expected.get(name)}" for name in different)
            raise _BrokenError(CHANGED, detail)
        self._ask(signal.SIGUSR1, "USR1\n")
        self._await(lambda: self._below() <= 1 + inner, "the orphan", UNREAPED)
        self._ask(signal.SIGTERM, "TERM\n")

    def _below(self) -> int:
        try:
            return len(procfs.descendants(self.init.pid))
        except NotInTimeError:
            # It has ended before it was ever seen.
            return 0

    def _ask(self, number: int, answer: str) -> None:
        # It may have ended, and then perhaps was never seen.
        with contextlib.suppress(ProcessLookupError, NotInTimeError):
            self.init.signal(number)
        self._await(lambda: answer in self._said.text, answer.strip(), LOST)

    def _await(self, condition: Callable[[], bool], what: str, otherwise: str = HUNG) -> None:
        try:
            until(lambda: condition() or self._ended(), what, self._patience)
        except NotInTimeError:
            raise _BrokenError(otherwise, f"no {what}; {self.init.stderr}") from None

    def _ended(self) -> bool:
        return self.init.process.poll() is not None

    def end(self) -> Result:
        """Wait for the end and judge it."""
        try:
            code, _, text = self.init.wait(self._patience)
        except NotInTimeError as late:
            return Result(HUNG, None, str(late))
        lines = text.splitlines()
        if code < 0 or "Traceback" in text:
            return Result(CRASHED, code, text)
        if code == CODE:
            return Result(HELD if "TERM\n" in self._said.text else LOST, code, text)
        if code != exit_codes.INTERNAL:
            return Result(WRONG, code, text)
        return Result(ENDED if len(lines) == 1 else SILENT, code, text)
