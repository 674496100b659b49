"""The arguments that options take, from their text to their value.

Every function raises ValueError with what would have been right, which the option table puts behind the word that
was wrong.
"""

from __future__ import annotations

from pyinit import signals

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# A year: longer than any container's stop, and far from where sigtimedwait's seconds end.
LONGEST = 366 * 86400.0
SECONDS = "seconds, such as 10, 0.5, 500ms or 2m"


def seconds(text: str) -> float:
    """A duration in seconds, 0 to a year: decimal, with ms, s, m or h behind it if wanted."""
    digits = text.rstrip("hms")
    unit = UNITS.get(text[len(digits) :] or "s")
    whole, _, fraction = digits.partition(".")
    if unit is None or not _is_number(whole + fraction) or digits[-1:] == ".":
        raise ValueError(f"give {SECONDS}")
    value = float(digits) * unit
    if value > LONGEST:
        raise ValueError("that is over a year")
    return value


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def exit_code(text: str) -> int:
    """An exit code, 0 to 255."""
    # Python reads numbers of 4300 digits at the most.
    if not _is_number(text) or len(text) > 4300 or int(text) > 255:
        raise ValueError("an exit code is a number from 0 to 255")
    return int(text)


def signal(text: str) -> int:
    """A signal's number, from its name or number."""
    try:
        return signals.number(text)
    except ValueError:
        raise ValueError("give a signal's name or number, such as TERM, 15 or RTMIN+3") from None


def stop_signal(text: str) -> int:
    """Return the number of a signal that can be forwarded. Raises ValueError for others (KILL, STOP, CHLD)."""
    number = signal(text)
    if number in signals.NOT_FORWARDED:
        raise ValueError(f"{signals.name(number)} never comes to be forwarded")
    return number


def remap(text: str) -> tuple[int, int]:
    """CODE[:NEW]: which exit code becomes which, 0 where no other is given."""
    old, colon, new = text.partition(":")
    try:
        return exit_code(old), exit_code(new) if colon else 0
    except ValueError:
        raise ValueError("give CODE or CODE:NEW, each from 0 to 255, such as 143 or 143:0") from None


def rewrite(text: str) -> tuple[int, int]:
    """FROM:TO: which signal becomes which; 0 drops it."""
    old, colon, new = text.partition(":")
    try:
        if not colon:
            raise ValueError
        becomes = signals.number(old), 0 if new == "0" else signals.number(new)
    except ValueError:
        raise ValueError("give FROM:TO, signals' names or numbers, such as TERM:QUIT or HUP:0") from None
    if becomes[0] in signals.NOT_FORWARDED:
        raise ValueError(f"{signals.name(becomes[0])} never comes to be forwarded")
    return becomes


def log_format(text: str) -> bool:
    """Whether lines are JSON objects."""
    if text not in ("text", "json"):
        raise ValueError("the formats are text and json")
    return text == "json"


def user(text: str) -> str:
    """USER[:GROUP], as it stands: what it means is known when the image's files are read."""
    name, colon, group = text.partition(":")
    if not name or (colon and not group):
        raise ValueError("give USER or USER:GROUP, names or numbers")
    return text
