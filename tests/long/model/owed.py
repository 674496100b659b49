"""Which signals the payload has to get, and what is wrong with those that it got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pyinit import signals


class Owed:
    """Real-time signals come as often as they were sent; the others at least once."""

    def __init__(self) -> None:
        self._least: Counter[int] = Counter()
        self._most: Counter[int] = Counter()
        self._waiting: set[int] = set()

    def sent(self, number: int, arriving: int) -> None:
        """A signal was sent to init, which arrives as another, or as itself."""
        self._most[arriving] += 1
        # A standard signal that comes again while it still waits is one with the first (signal(7)).
        self._least[arriving] += number >= signals.RTMIN or number not in self._waiting
        self._waiting.add(number)

    def may_come(self, number: int) -> None:
        """Allow for a signal that nobody has sent to init."""
        self._most[number] += 1

    def settled(self, took: Iterable[int]) -> str:
        """What is wrong with the signals that the payload took, if they are all there are; then nothing is owed."""
        got = Counter(took)
        wrong = ""
        for number in sorted(self._most.keys() | got.keys(), reverse=True):
            most = self._most[number]
            least = self._least[number] if number >= signals.RTMIN else min(1, most)
            if not least <= got[number] <= most:
                word = "was lost" if got[number] < least else "came that was not sent"
                wrong = f"{signals.name(number)} {word}: sent {most}, arrived {got[number]}"
        for each in (self._least, self._most, self._waiting):
            each.clear()
        return wrong
