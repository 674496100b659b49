"""Warnings that others can cause as often as they like: the first is logged at once, those that follow are counted."""

from __future__ import annotations

from pyinit.event_loop import EventLoop
from pyinit.report.log import Log

# Seconds between two lines of the same text.
INTERVAL = 10.0


class Repeats:
    """Log each warning once in INTERVAL seconds at most; a later line says how many more there were."""

    __slots__ = ("_counts", "_log", "_loop")

    def __init__(self, log: Log) -> None:
        self._log = log
        self._loop: EventLoop | None = None
        # How many more of a text there were since its last line.
        self._counts: dict[str, int] = {}

    def begin(self, loop: EventLoop) -> None:
        """Take the loop whose timers tell when a count is due."""
        self._loop = loop

    def warn(self, text: str, detail: str = "") -> None:
        """Log a warning, or count it; `detail` is said of the first only. There must be few different texts."""
        if text in self._counts:
            self._counts[text] += 1
            return
        self._log.warning(text + detail)
        if self._loop and not self._counts:
            self._loop.after(INTERVAL, self._report_again)
        self._counts[text] = 0

    def report(self) -> None:
        """Log the counts. A text that has not come again since its last line is new when it does."""
        repeated = {text: count for text, count in self._counts.items() if count}
        for text, count in repeated.items():
            self._log.warning(f"{text} ({count} more)", count=count)
        self._counts = dict.fromkeys(repeated, 0)

    def _report_again(self) -> None:
        self.report()
        if self._loop and self._counts:
            self._loop.after(INTERVAL, self._report_again)
