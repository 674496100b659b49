"""Parse the arguments of options.

Every function raises ValueError with a message that says what is allowed. The option table prefixes the invalid word.
"""

from __future__ import annotations

from pyinit import signals

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# A year: longer than any stop of a container, and far below the limit of sigtimedwait(2).
LONGEST = 366 * 86400.0
SECONDS = "seconds, such as 10, 0.5, 500ms or 2m"


def seconds(text: str) -> float:
    """Return a duration in seconds, 0 to a year. The text is decimal, with the suffix ms, s, m or h if wanted."""
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
    """Return an exit code, 0 to 255."""
    # int() raises an error of its own for more than 4300 digits.
    if not _is_number(text) or len(text) > 4300 or int(text) > 255:
        raise ValueError("an exit code is a number from 0 to 255")
    return int(text)


def signal(text: str) -> int:
    """Return the number of a signal that is given by name or number."""
    try:
        return signals.number(text)
    except ValueError:
        raise ValueError("give a signal's name or number, such as TERM, 15 or RTMIN+3") from None


def stop_signal(text: str) -> int:
    """Return the number of a signal that init can forward: all but KILL, STOP and CHLD."""
    number = signal(text)
    if number in signals.NOT_FORWARDED:
        raise ValueError(f"{signals.name(number)} is never forwarded")
    return number


def remap(text: str) -> tuple[int, int]:
    """Parse CODE[:NEW]; return the exit code and its replacement, 0 by default."""
    old, colon, new = text.partition(":")
    try:
        return exit_code(old), exit_code(new) if colon else 0
    except ValueError:
        raise ValueError("give CODE or CODE:NEW, each from 0 to 255, such as 143 or 143:0") from None


def rewrite(text: str) -> tuple[int, int]:
    """Parse FROM:TO; return the signal and its replacement, 0 to drop it."""
    old, colon, new = text.partition(":")
    try:
        if not colon:
            raise ValueError
        numbers = signals.number(old), 0 if new == "0" else signals.number(new)
    except ValueError:
        raise ValueError("give FROM:TO, signals' names or numbers, such as TERM:QUIT or HUP:0") from None
    if numbers[0] in signals.NOT_FORWARDED:
        raise ValueError(f"{signals.name(numbers[0])} is never forwarded")
    return numbers


def log_format(text: str) -> bool:
    """Return True for json, False for text."""
    if text not in ("text", "json"):
        raise ValueError("the formats are text and json")
    return text == "json"


def user(text: str) -> str:
    """Return USER[:GROUP] unchanged: names are looked up later, in the image's files."""
    name, colon, group = text.partition(":")
    if not name or (colon and not group):
        raise ValueError("give USER or USER:GROUP, names or numbers")
    return text
