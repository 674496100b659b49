"""A payload that says which signals it gets (payloads/receive.c), and what has come to it."""

from __future__ import annotations

from tests.support.commands import payload
from tests.support.harness import Init
from tests.support.payload_pair import MARK
from tests.support.types import Start


def until_marked(init: Init, number: int = MARK) -> list[int]:
    """Send one more signal; return the numbers of all that the payload has got before it."""
    # Sent when all before it have been taken: one that is late could not be told from one that is lost.
    # Real-time, so that it comes after every standard signal that is still pending.
    init.idle()
    init.signal(number)
    lines = init.expect(f"got {number} ").splitlines()
    return [int(line.split()[1]) for line in lines[:-1] if line.startswith("got ") and line != "got is ready"]


def receiver(start: Start, *options: str, **how: object) -> Init:
    """Start an init whose payload says what it gets."""
    init = start(*options, "--", *payload("receive"), **how)
    init.expect("got is ready\n")
    return init
