"""Stop requests: which signals ask for a stop, and what has been asked so far.

A stop signal is TERM, INT or QUIT after rewriting, or one that --stop-signal names.
"""

from __future__ import annotations

from pyinit import signals
from pyinit.audience import Audience


class StopRequests:
    """What is known of stop signals, from init's start to its end.

    `asked` is whether a stop signal has come, `ordered` whether one has that is for init too: the second such one ends
    the grace period. `latest` is the last stop signal, after rewriting; 0 until one has come. `audience` is to whom
    one was sent last; None until that has happened.
    """

    __slots__ = ("_named", "asked", "audience", "latest", "ordered")

    def __init__(self, named: frozenset[int]) -> None:
        """Take the signals that --stop-signal names."""
        self._named = named
        self.asked = False
        self.ordered = False
        self.latest = 0
        self.audience: Audience | None = None

    def is_stop(self, received: int, number: int) -> bool:
        """Return True if a signal, which is `number` after rewriting, asks for a stop."""
        return number in signals.STOP_REQUESTS or received in signals.STOP_REQUESTS or self._is_named(received, number)

    def is_timed(self, received: int, number: int) -> bool:
        """Return True if -d and -k count from this signal: what it was before rewriting matters if it is named."""
        return number in signals.STOP_REQUESTS or self._is_named(received, number)

    def is_order(self, received: int, number: int) -> bool:
        """Return True if the signal is for init too: TERM, INT, or one that is named."""
        return number in signals.ORDERS or received in signals.ORDERS or self._is_named(received, number)

    def note(self, received: int, number: int) -> None:
        """Remember that this stop signal has come."""
        self.asked = True
        self.latest = number
        if self.is_order(received, number):
            self.ordered = True

    @property
    def for_leftovers(self) -> int:
        """Return the signal that asks processes to end which the payload has left.

        That is TERM; where the payload was asked by QUIT or by a signal that is named, it is that one.
        """
        return self.latest if self.latest == signals.QUIT or self.latest in self._named else signals.TERM

    def _is_named(self, received: int, number: int) -> bool:
        return bool(self._named) and (number in self._named or received in self._named)
