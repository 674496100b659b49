"""Warnings that other processes can cause without end: the first is logged at once, further ones are counted."""

from __future__ import annotations

from pyinit.event_loop import EventLoop
from pyinit.report.log import Log

# Seconds between two lines of the same text.
INTERVAL = 10.0


class RepeatedWarnings:
    """Logs each warning at most once in INTERVAL seconds; a later line reports how many more there were."""

    __slots__ = ("_counts", "_log", "_loop")

    def __init__(self, log: Log) -> None:
        self._log = log
        self._loop: EventLoop | None = None
        # For every text: how often it was repeated since its last line.
        self._counts: dict[str, int] = {}

    def begin(self, loop: EventLoop) -> None:
        """Use the timers of this loop for the lines with counts."""
        self._loop = loop

    def warn(self, text: str, detail: str = "") -> None:
        """Log a warning, or count it. `detail` is logged with the first only. There must be few different texts."""
        if text in self._counts:
            self._counts[text] += 1
            return
        self._log.warning(text + detail)
        if self._loop and not self._counts:
            self._loop.after(INTERVAL, self._report_again)
        self._counts[text] = 0

    def report(self) -> None:
        """Log the counts. A text that was not repeated since its last line is forgotten."""
        repeated = {text: count for text, count in self._counts.items() if count}
        for text, count in repeated.items():
            self._log.warning(f"{text} ({count} more)", count=count)
        self._counts = dict.fromkeys(repeated, 0)

    def _report_again(self) -> None:
        self.report()
        if self._loop and self._counts:
            self._loop.after(INTERVAL, self._report_again)
