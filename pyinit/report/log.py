"""The log: lines on standard error, as text or as JSON, that are never waited for. Standard output is the payload's.

A line that cannot be written immediately (the pipe is full, the disk is full, the descriptor is closed) is dropped and
counted. The next line that can be written reports how many were lost.
"""

from __future__ import annotations

import time

from pyinit.report import stderr
from pyinit.report.escape import printable, quoted

ERROR, WARNING, INFO, DEBUG = range(4)
LEVELS = ("error", "warning", "info", "debug")


class Log:
    """Writes log lines to standard error.

    `verbose` is the highest level that is logged: -1 errors, 0 warnings, 1 (-v) events, 2 (-vv) debug output. With
    `json`, a line is one JSON object with time (seconds since 1970), level, message and the given fields.
    """

    __slots__ = ("_cut", "_json", "_lost", "verbose")

    def __init__(self, verbose: int = 0, json: bool = False) -> None:
        self.verbose = verbose
        self._json = json
        self._lost = 0
        # True if the last line was written only in part.
        self._cut = False

    def error(self, message: str, **fields: int | str) -> None:
        """Log what kept init from doing its job."""
        self._log(ERROR, message, fields)

    def warning(self, message: str, **fields: int | str) -> None:
        """Log what the user must know."""
        if self.verbose >= 0:
            self._log(WARNING, message, fields)

    def info(self, message: str, **fields: int | str) -> None:
        """Log an event, with -v."""
        if self.verbose >= 1:
            self._log(INFO, message, fields)

    def debug(self, message: str, **fields: int | str) -> None:
        """Log a detail, with -vv."""
        if self.verbose >= 2:
            self._log(DEBUG, message, fields)

    def report_lost_lines(self) -> None:
        """Log how many lines were lost since the last one that was written, if any. To be called before init exits."""
        if self._lost:
            self._write(b"")

    def _log(self, level: int, message: str, fields: dict[str, int | str]) -> None:
        self._write(self._line(level, message, fields))

    def _write(self, line: bytes) -> None:
        notice = self._notice() if self._lost else b""
        text = notice + line
        done = stderr.write(text)
        if done == len(text):
            self._lost = 0
            self._cut = False
            return
        if done:
            self._cut = text[done - 1 : done] != b"\n"
        # If the notice was written, only the line is lost.
        self._lost = 1 if done and done >= len(notice) else self._lost + 1

    def _notice(self) -> bytes:
        plural = "line was" if self._lost == 1 else "lines were"
        text = f"{self._lost} {plural} lost: standard error could not be written to"
        return (b"\n" if self._cut else b"") + self._line(WARNING, text, {"lost": self._lost})

    def _line(self, level: int, message: str, fields: dict[str, int | str]) -> bytes:
        text = printable(message)
        if not self._json:
            return f"pyinit: {text}\n".encode("utf-8", "surrogateescape")
        pairs = {
            "time": f"{time.time():.3f}",
            "level": quoted(LEVELS[level]),
            "message": quoted(text),
        }
        pairs |= {key: _value(value) for key, value in fields.items()}
        inside = ", ".join(f'"{key}": {value}' for key, value in pairs.items())
        return ("{" + inside + "}\n").encode("utf-8", "replace")


def _value(value: int | str) -> str:
    return str(value) if isinstance(value, int) else quoted(value)
