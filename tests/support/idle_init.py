"""Whether an init has done all there was to do."""

from __future__ import annotations

import time

from pyinit.event_loop import STARTUP_QUIET_SECONDS
from tests.support import procfs
from tests.support.polling import PATIENCE, until
from tests.support.syscalls import name_of

# What an init waits in.
WAITS = ("rt_sigtimedwait", "poll")
# Their timeouts when they have none: no structure, and -1.
FOR_EVER = ("0x0", "0xffffffff", "0xffffffffffffffff")


def idle(pid: int, timeout: float = PATIENCE) -> list[str]:
    """Wait until the init has done all there was to do; the system call that it sleeps in.

    A wait that has an end may be its first, after which it does a little more (pyinit/event_loop.py): that is over when
    it is seen to wait after that time.
    """

    def sleeps() -> list[str]:
        # In this order: once it sleeps, whatever was pending before has been taken.
        pending = procfs.signals(pid, "ShdPnd") | procfs.signals(pid, "SigPnd")
        call = procfs.sleeping_for(pid)
        return call if not pending and name_of(call) in WAITS else []

    call = until(sleeps, "an idle init", timeout)
    if call[3] in FOR_EVER:
        return call
    time.sleep(2 * STARTUP_QUIET_SECONDS)
    return until(sleeps, "an idle init", timeout)
