"""Waits for what must come true: patiently, but not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 20.0  # seconds until a test gives up waiting
# With inits that are only compared with pyinit: they hang so often that waiting for them is what takes the time.
PATIENCE_WITH_PEERS = 5.0
Value = TypeVar("Value")


class NotInTimeError(AssertionError):
    """Something did not happen in time, or cannot happen any more."""


def until(condition: Callable[[], Value | None], what: str | Callable[[], str], timeout: float = PATIENCE) -> Value:
    """Return the condition's value as soon as it is true.

    Raise NotInTimeError after `timeout` seconds, with `what` in its message: a text, or a function that returns one.
    """
    end = time.monotonic() + timeout
    pause = 0.001
    while True:
        # Looked at once more when the time is up: this process may have been the slow one.
        late = time.monotonic() >= end
        if value := condition():
            return value
        if late:
            raise NotInTimeError(f"not within {timeout:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def stays(condition: Callable[[], object], what: str, seconds: float) -> None:
    """Return after so many seconds of a condition that stays true; raise NotInTimeError when it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            raise NotInTimeError(f"did not stay so for {seconds:g} s: {what}")
        time.sleep(0.01)
