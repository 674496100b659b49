"""System calls by their names, and the numbers that x86-64 has for them (asm/unistd_64.h)."""

from __future__ import annotations

from collections.abc import Sequence

NUMBERS = {
    "read": 0,
    "write": 1,
    "poll": 7,
    "rt_sigaction": 13,
    "rt_sigprocmask": 14,
    "readv": 19,
    "pipe": 22,
    "sendto": 44,
    "clone": 56,
    "wait4": 61,
    "kill": 62,
    "fcntl": 72,
    "chdir": 80,
    "setpgid": 109,
    "rt_sigtimedwait": 128,
    "prctl": 157,
    "clock_nanosleep": 230,
    "waitid": 247,
    "openat": 257,
    "pipe2": 293,
    "pwritev2": 328,
    "pidfd_send_signal": 424,
    "pidfd_open": 434,
    "clone3": 435,
    "close_range": 436,
}
NAMES = {number: name for name, number in NUMBERS.items()}


def name_of(call: Sequence[str]) -> str:
    """The name of a call as processes.sleeping_for gives it; its number if the table has none, empty if it is none."""
    return NAMES.get(int(call[0]), call[0]) if call else ""
