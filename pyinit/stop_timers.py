"""The two times that stop signals have: -d holds the first one back, and -k sends KILL after it.

What the terminal sends straight to the payload never passes through here.
"""

from __future__ import annotations

from collections.abc import Callable

from pyinit import signals
from pyinit.event_loop import EventLoop, Timer
from pyinit.options import Options
from pyinit.report.log import Log


class StopTimers:
    """Hold a stop signal back until `release` is called with it, and call `kill` when -k is over.

    `killed` is True once that was done.
    """

    __slots__ = (
        "_delay",
        "_delay_timer",
        "_kill",
        "_kill_after",
        "_kill_timer",
        "_log",
        "_loop",
        "_release",
        "killed",
    )

    def __init__(
        self, options: Options, loop: EventLoop, release: Callable[[int], None], kill: Callable[[], None], log: Log
    ) -> None:
        self._delay = options.stop_delay
        self._kill_after = options.kill_after
        self._loop = loop
        self._release = release
        self._kill = kill
        self._log = log
        self.killed = False
        self._delay_timer: Timer | None = None
        self._kill_timer: Timer | None = None

    def passes(self, number: int) -> bool:
        """Return True if a stop signal is to be forwarded now; False if it is held back, as the first one with -d."""
        delay, self._delay = self._delay, 0.0
        if delay:
            self._log.info(f"{signals.name(number)} is held back for {delay:g} s", signal=signals.name(number))
            self._delay_timer = self._loop.after(delay, lambda: self._end_delay(number))
            return False
        # The second one stands for both: to many programs two stop signals mean "give up everything".
        self._cancel_delay()
        self._start_kill_timer()
        return True

    def _end_delay(self, number: int) -> None:
        self._delay_timer = None
        self._start_kill_timer()
        self._release(number)

    def _start_kill_timer(self) -> None:
        if self._kill_after is not None and self._kill_timer is None:
            self._log.info(f"KILL follows in {self._kill_after:g} s unless the payload ends")
            self._kill_timer = self._loop.after(self._kill_after, self._end_kill_timer)

    def _end_kill_timer(self) -> None:
        self._log.warning(f"payload still running {self._kill_after:g} s after the first stop signal; sending KILL")
        self.killed = True
        self._kill()

    def _cancel_delay(self) -> None:
        if self._delay_timer:
            self._loop.cancel(self._delay_timer)
            self._delay_timer = None

    def payload_exited(self) -> None:
        """Cancel KILL, and drop the signal that is held back."""
        if self._kill_timer:
            self._loop.cancel(self._kill_timer)
        self._cancel_delay()
