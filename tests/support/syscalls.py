"""System calls by their names, and the numbers that x86-64 has for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").read_text()
NUMBERS = {name: int(number) for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", _HEADER, re.MULTILINE)}
NAMES = {number: name for name, number in NUMBERS.items()}


def name_of(call: Sequence[str]) -> str:
    """Return the name of a call as procfs.sleeping_for gives it: its number if unknown, empty for no call."""
    return NAMES.get(int(call[0]), call[0]) if call else ""
