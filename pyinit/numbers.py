"""Read numbers from files that anybody may have written; refuse those that the kernel never writes or never takes."""

from __future__ import annotations

# linux/threads.h: PID_MAX_LIMIT is 2^22 on 64-bit machines, and pids are below it.
HIGHEST_PID = 2**22 - 1
# (uid_t) -1 and (gid_t) -1 mean "unchanged" to setresuid(2).
HIGHEST_ID = 2**32 - 2
# A 64-bit number has 20 digits. With more than 4300, int() raises ValueError.
DIGITS = len(str(2**64 - 1))


def number(word: bytes, highest: int) -> int | None:
    """Return the value of a decimal number from 0 to `highest`, at most 2**64 - 1; None for anything else."""
    if not word.isdigit() or len(word) > DIGITS:
        return None
    parsed = int(word)
    return parsed if parsed <= highest else None
