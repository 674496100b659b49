"""Floods: signals sent without end, from several processes; what an init still notices meanwhile."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.support.commands import payload
from tests.support.harness import Init
from tests.support.polling import PATIENCE
from tests.support.users import user_of_its_own

CODE = 42  # payloads/deaf.c
SENDERS = (1, 4, 20)


class Flood(NamedTuple):
    """Signals, and the call that sends them (payloads/flood.c)."""

    call: str
    numbers: Sequence[int]

    @property
    def name(self) -> str:
        """What is sent and how, in words."""
        return f"{', '.join(signal.Signals(each).name.removeprefix('SIG') for each in self.numbers)} by {self.call}"


STANDARD = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
REAL_TIME = (signal.SIGRTMIN, signal.SIGRTMAX)
FLOODS = [
    Flood("kill", (signal.SIGHUP,)),
    Flood("kill", STANDARD),
    Flood("kill", (signal.SIGCHLD,)),
    Flood("kill", REAL_TIME),
    Flood("sigqueue", REAL_TIME),
    Flood("tgkill", STANDARD),
    Flood("tgkill", (signal.SIGCHLD,)),
    Flood("tgkill", (signal.SIGRTMIN,)),
    Flood("tgkill", REAL_TIME),
    Flood("tgsigqueue", REAL_TIME),
]


@contextlib.contextmanager
def flooded(init: Init, flood: Flood, senders: int) -> Iterator[None]:
    """Flood an init as long as this context lasts."""
    words = payload("flood", flood.call, str(init.pid), str(senders), *(str(int(each)) for each in flood.numbers))
    with subprocess.Popen(words, stdout=subprocess.PIPE) as senders_of_it:
        try:
            assert senders_of_it.stdout
            assert senders_of_it.stdout.readline() == b"flooding\n"
            yield
        finally:
            senders_of_it.kill()


class Times(NamedTuple):
    """Seconds from TERM to its arrival at the payload, and from the payload's end to init's."""

    term: float
    end: float


def through(program: Sequence[str], place: str, flood: Flood, senders: int, patience: float = PATIENCE) -> Times:
    """Send TERM, at which the payload ends, to an init that is being flooded; NotInTimeError if it takes too long."""
    init = Init([*user_of_its_own(), *program], payload("deaf"), place=place)
    try:
        init.expect("ready\n")
        with flooded(init, flood, senders):
            begin = time.monotonic()
            init.signal(signal.SIGTERM)
            init.expect("TERM\n", patience)
            arrived = time.monotonic()
            code = init.wait(patience).code
            ended = time.monotonic()
    finally:
        init.close()
    assert code == CODE, f"exit code {code}"
    return Times(arrived - begin, ended - arrived)
