"""-P: run no payload; reap until TERM, INT or a signal that --stop-signal names comes, then exit with 0."""

from __future__ import annotations

from pyinit import event_loop
from pyinit.event_loop import Loop
from pyinit.forward import rewrites
from pyinit.options import Options
from pyinit.reaper import Reaper
from pyinit.report.exit_report import Deaths
from pyinit.report.log import Log
from pyinit.stop_requests import StopRequests


class Pause:
    """A life without a payload."""

    def __init__(self, options: Options, log: Log) -> None:
        self._rewrite = rewrites(options)
        self._requests = StopRequests(options.stop_signals)
        deaths = Deaths(options, log)
        ending = deaths.ending if deaths.wants_names else None
        self._loop = Loop(Reaper(deaths.orphan, _ignore, ending=ending).collect, self._handle)
        if not ending:
            self._loop.payload = event_loop.NONE
        self._loop.soon(deaths.begin)

    def run(self) -> int:
        """The exit code, once it has come to an end."""
        return self._loop.run()

    def _handle(self, received: int, _code: int, _sender: int) -> None:
        number = self._rewrite.get(received, received)
        # One that is rewritten counts as what it was, too: TERM:QUIT is meant for a payload. Dropped, it is nothing.
        if number and self._requests.is_order(received, number):
            self._loop.finish(0)


def _ignore(_: int, __: int) -> None:
    """Children that are only stopped or continued are none of a pausing init's business."""
