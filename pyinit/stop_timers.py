"""Stop signals on their way to the payload: held back at first (-d), and with KILL behind them (-k).

What the terminal sends straight to the payload never comes by here.
"""

from __future__ import annotations

from collections.abc import Callable

from pyinit import signals
from pyinit.event_loop import Loop, Timer
from pyinit.options import Options
from pyinit.report.log import Log


class Stops:
    """Sends stop signals on with `send`, and KILL with `send_kill`; `killed` is whether KILL was sent."""

    __slots__ = (
        "_asked",
        "_delay",
        "_held",
        "_holding",
        "_kill_after",
        "_killing",
        "_log",
        "_loop",
        "_send",
        "_send_kill",
        "killed",
    )

    def __init__(
        self, options: Options, loop: Loop, send: Callable[[int], None], send_kill: Callable[[], None], log: Log
    ) -> None:
        self._delay = options.stop_delay
        self._kill_after = options.kill_after
        self._loop = loop
        self._send = send
        self._send_kill = send_kill
        self._log = log
        self._asked = False
        self.killed = False
        self._held = 0
        self._holding: Timer | None = None
        self._killing: Timer | None = None

    def send(self, number: int) -> None:
        """Send a stop signal on, or hold it back if it is the first."""
        first = not self._asked
        self._asked = True
        if first and self._delay:
            self._log.info(f"{signals.name(number)} is held back for {self._delay:g} s", signal=signals.name(number))
            self._held = number
            self._holding = self._loop.after(self._delay, self._release)
            return
        # The second one stands for both: many programs take two for "give up everything".
        self._let_go()
        self._forward(number)

    def _release(self) -> None:
        self._forward(self._let_go())

    def _forward(self, number: int) -> None:
        self._send(number)
        if self._kill_after is not None and self._killing is None:
            self._log.info(f"KILL follows in {self._kill_after:g} s unless the payload ends")
            self._killing = self._loop.after(self._kill_after, self._kill)

    def _kill(self) -> None:
        self._log.warning(f"the payload has outlived the first stop signal by {self._kill_after:g} s: KILL")
        self.killed = True
        self._send_kill()

    def _let_go(self) -> int:
        """Ends the delay; the signal that was held back, or 0."""
        number, self._held = self._held, 0
        if self._holding:
            self._loop.cancel(self._holding)
            self._holding = None
        return number

    def payload_ended(self) -> None:
        """Cancel KILL, and drop the signal that is held back: the payload has ended."""
        if self._killing:
            self._loop.cancel(self._killing)
        self._let_go()
