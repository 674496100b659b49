"""Has a stop been asked for, and by which signal? A stop signal is TERM, INT, QUIT, or one that --stop-signal names."""

from __future__ import annotations

from pyinit import signals
from pyinit.stop_recipients import StopRecipients


class StopRequests:
    """The stop signals that have come, from init's start to its end.

    `any_received` is True once a stop signal has come; `for_init_received` once one has come that is for init too (the
    second such signal ends the grace period). `latest` is the last stop signal, after rewriting; 0 until one has come.
    `stop_signals` are all that ask for a stop. `recipients` are the processes that one was sent to last; None until one
    has been sent.
    """

    __slots__ = ("_named", "any_received", "for_init_received", "latest", "recipients", "stop_signals")

    def __init__(self, named: frozenset[int]) -> None:
        """Take the signals that --stop-signal names."""
        self._named = named
        self.stop_signals = signals.STOP_SIGNALS | named
        self.any_received = False
        self.for_init_received = False
        self.latest = 0
        self.recipients: StopRecipients | None = None

    def is_stop(self, received: int, number: int) -> bool:
        """Return True if a signal, which is `number` after rewriting, is a stop signal before or after that."""
        return number in self.stop_signals or received in self.stop_signals

    def has_timers(self, received: int, number: int) -> bool:
        """Return True if -d and -k apply: to TERM, INT and QUIT after rewriting, to named signals before or after."""
        return number in self.stop_signals or received in self._named

    def is_for_init(self, received: int, number: int) -> bool:
        """Return True if the signal is for init too: TERM, INT or a named one, before or after rewriting."""
        for_init = signals.FOR_INIT_TOO | self._named
        return number in for_init or received in for_init

    def record(self, received: int, number: int) -> None:
        """Record that this stop signal has come."""
        self.any_received = True
        self.latest = number
        if self.is_for_init(received, number):
            self.for_init_received = True

    @property
    def for_leftovers(self) -> int:
        """Return the signal that asks the processes which the payload has left to end.

        That is the last stop signal if it was QUIT or a named one, otherwise TERM.
        """
        return self.latest if self.latest == signals.QUIT or self.latest in self._named else signals.TERM
