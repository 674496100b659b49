"""Stop requests: which signals are stop signals, and which of them have come.

A stop signal is TERM, INT or QUIT after rewriting, or one that --stop-signal names.
"""

from __future__ import annotations

from pyinit import signals
from pyinit.stop_recipients import Audience


class StopRequests:
    """The stop signals that have come, from init's start to its end.

    `asked` is True once a stop signal has come. `ordered` is True once one has come that is for init too: the second
    such signal ends the grace period. `latest` is the last stop signal, after rewriting; 0 until one has come.
    `audience` are the processes that one was sent to last; None until one has been sent.
    """

    __slots__ = ("_named", "_stops", "asked", "audience", "latest", "ordered")

    def __init__(self, named: frozenset[int]) -> None:
        """Take the signals that --stop-signal names."""
        self._named = named
        self._stops = signals.STOP_REQUESTS | named
        self.asked = False
        self.ordered = False
        self.latest = 0
        self.audience: Audience | None = None

    def is_stop(self, received: int, number: int) -> bool:
        """Return True if a signal, which is `number` after rewriting, is a stop signal before or after that."""
        return number in self._stops or received in self._stops

    def is_timed(self, received: int, number: int) -> bool:
        """Return True if -d and -k apply: TERM, INT and QUIT after rewriting, named signals before or after."""
        return number in self._stops or received in self._named

    def is_order(self, received: int, number: int) -> bool:
        """Return True if the signal is for init too: TERM, INT or a named one, before or after rewriting."""
        orders = signals.ORDERS | self._named
        return number in orders or received in orders

    def note(self, received: int, number: int) -> None:
        """Record that this stop signal has come."""
        self.asked = True
        self.latest = number
        if self.is_order(received, number):
            self.ordered = True

    @property
    def for_leftovers(self) -> int:
        """Return the signal that asks the processes which the payload has left to end.

        That is the last stop signal if it was QUIT or a named one, otherwise TERM.
        """
        return self.latest if self.latest == signals.QUIT or self.latest in self._named else signals.TERM
