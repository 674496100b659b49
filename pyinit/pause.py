"""-P: run no payload; reap until TERM, INT or a signal that --stop-signal names comes, then exit with 0."""

from __future__ import annotations

from pyinit.event_loop import EventLoop
from pyinit.options import Options
from pyinit.payload.payload import Payload
from pyinit.reaper import Exits, Reaper
from pyinit.report.exit_report import ExitReport
from pyinit.report.log import Log
from pyinit.rewrite import rewrites
from pyinit.stop_requests import StopRequests


class Pause:
    """An init without a payload."""

    def __init__(self, options: Options, log: Log) -> None:
        self._rewrites = rewrites(options)
        self._requests = StopRequests(options.stop_signals)
        report = ExitReport(options, log)
        exits, before_reap = (Exits.ALL, report.before_reap) if report.wants_names else (Exits.NONE, None)
        reaper = Reaper(Payload(""), exits, report.orphan_exited, _ignore_change, before_reap)
        self._loop = EventLoop(reaper, reaper.collect, self._handle, self._requests.stop_signals)
        self._loop.call_when_idle(report.start_oom_watch)

    def run(self) -> int:
        """Run until a stop signal comes; return the exit code."""
        return self._loop.run()

    def _handle(self, received: int, _code: int, _sender: int) -> None:
        number = self._rewrites.get(received, received)
        # A signal that is rewritten counts as what it was, too: TERM:QUIT is meant for a payload. One that is dropped
        # does not count.
        if number and self._requests.is_for_init(received, number):
            self._loop.finish(0)


def _ignore_change(_: int, __: int) -> None:
    """Do nothing: it does not matter here that a child was stopped or continued."""
