"""What init says: one line at a time on standard error, as text or as JSON, and never at the cost of its work.

A line that cannot be written at once (nobody reads the pipe, the disk is full, the descriptor is closed) is dropped
and counted; the next line that can be written says how many were lost. Standard output is the payload's.
"""

from __future__ import annotations

import time

from pyinit.report import stderr
from pyinit.report.escape import printable, quoted

ERROR, WARNING, INFO, DEBUG = range(4)
LEVELS = ("error", "warning", "info", "debug")


class Log:
    """Lines on standard error.

    `verbose` -1 lets errors through, 0 warnings too, 1 (-v) also what happens, 2 (-vv) all. `json` makes each line one
    JSON object with time (seconds since 1970), level, message and the fields given.
    """

    __slots__ = ("_cut", "_json", "_lost", "verbose")

    def __init__(self, verbose: int = 0, json: bool = False) -> None:
        self.verbose = verbose
        self._json = json
        self._lost = 0
        # Whether the last thing written is a part of a line.
        self._cut = False

    def error(self, message: str, **fields: int | str) -> None:
        """What kept init from doing its job."""
        self._say(ERROR, message, fields)

    def warning(self, message: str, **fields: int | str) -> None:
        """What the user must know."""
        if self.verbose >= 0:
            self._say(WARNING, message, fields)

    def info(self, message: str, **fields: int | str) -> None:
        """What happened, with -v."""
        if self.verbose >= 1:
            self._say(INFO, message, fields)

    def debug(self, message: str, **fields: int | str) -> None:
        """Everything else, with -vv."""
        if self.verbose >= 2:
            self._say(DEBUG, message, fields)

    def settle(self) -> None:
        """At the end: says how many lines were lost, if that can be said now."""
        if self._lost:
            self._write(b"")

    def _say(self, level: int, message: str, fields: dict[str, int | str]) -> None:
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
        # If the notice went through, the line alone is lost.
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
