"""Which init is under test, and how it is started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from tests.support.commands import ENVIRONMENT
from tests.support.polling import PATIENCE

PATIENCE_WITH_WALKS = 120.0


class Setup(NamedTuple):
    """An init under test: its program's words, where it runs, its options, whether the notify relay is active."""

    program: Sequence[str]
    place: str
    options: Sequence[str] = ()
    rewrite: Mapping[int, int] = MappingProxyType({})
    relays: bool = False

    @property
    def words(self) -> list[str]:
        """All options."""
        return [*self.options, *(word for pair in self.rewrite.items() for word in ("-r", "{}:{}".format(*pair)))]

    @property
    def environment(self) -> dict[str, str]:
        """What the init's environment is."""
        return {**ENVIRONMENT, **({"NOTIFY_SOCKET": "@nobody"} if self.relays else {})}

    @property
    def walks(self) -> bool:
        """Whether init looks through all of /proc for each signal: its time and memory go by the whole machine."""
        return "-a" in self.options and self.place == "subreaper"

    @property
    def patience(self) -> float:
        """Seconds until an init that has something to do must have done it."""
        return PATIENCE_WITH_WALKS if self.walks else PATIENCE

    def __str__(self) -> str:
        relay = "NOTIFY_SOCKET=@nobody " if self.relays else ""
        return f"{relay}{' '.join([*self.program, *self.words])}, {self.place}"
