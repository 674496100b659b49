"""Escape text, so that it cannot inject terminal control sequences or log lines; quote it as a JSON string."""

from __future__ import annotations

SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """Return `text` with control characters and line breaks escaped, as in a Python string.

    Lone surrogates stand for bytes that are not UTF-8. They are kept, except those that a terminal may take for 8-bit
    control characters (C1, ECMA-48).
    """
    return "".join(char if char.isprintable() or "\udca0" <= char <= "\udcff" else _escaped(char) for char in text)


def _escaped(character: str) -> str:
    number = ord(character)
    if character in SHORT_ESCAPES:
        return SHORT_ESCAPES[character]
    if number < 0x100 or 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number & 0xFF:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def quoted(text: str) -> str:
    """Return `text` as a JSON string. Bytes that were not UTF-8 become U+FFFD."""
    parts = ['"']
    for char in text:
        if char in '"\\':
            parts.append("\\" + char)
        elif "\ud800" <= char <= "\udfff":
            parts.append("\ufffd")
        elif char < " ":
            parts.append(f"\\u{ord(char):04x}")
        else:
            parts.append(char)
    parts.append('"')
    return "".join(parts)
