"""Text that paints no terminal and breaks no line, and text as a JSON string."""

from __future__ import annotations

FAMILIAR = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """`text` without what could paint a terminal or break a line: that is escaped as Python would.

    Lone surrogates are bytes of a name that is not UTF-8: they go out as they came, but for those that a terminal may
    take for control characters of eight bits (C1, ECMA-48).
    """
    return "".join(each if each.isprintable() or "\udca0" <= each <= "\udcff" else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    number = ord(character)
    if character in FAMILIAR:
        return FAMILIAR[character]
    if number < 0x100 or 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number & 0xFF:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def quoted(text: str) -> str:
    """`text` as a JSON string; bytes that were not UTF-8 become U+FFFD."""
    parts = ['"']
    for each in text:
        if each in '"\\':
            parts.append("\\" + each)
        elif "\ud800" <= each <= "\udfff":
            parts.append("\ufffd")
        elif each < " ":
            parts.append(f"\\u{ord(each):04x}")
        else:
            parts.append(each)
    parts.append('"')
    return "".join(parts)
