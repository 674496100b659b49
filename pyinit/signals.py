"""Signals: their names and numbers, and which of them is of what kind.

Linux on x86-64 (signal(7)). RTMIN is always 34, as glibc, docker and systemd count; a libc's own idea (musl's is 35)
plays no part. 32 and 33 are libc's own and are dropped.
"""

from __future__ import annotations

from signal import (
    SIGALRM,
    SIGCHLD,
    SIGCONT,
    SIGHUP,
    SIGINT,
    SIGKILL,
    SIGPIPE,
    SIGPWR,
    SIGQUIT,
    SIGSTOP,
    SIGTERM,
    SIGTSTP,
    SIGTTIN,
    SIGTTOU,
    SIGWINCH,
    SIGXFSZ,
)

# Index n-1 is signal n.
STANDARD = [
    "HUP",
    "INT",
    "QUIT",
    "ILL",
    "TRAP",
    "ABRT",
    "BUS",
    "FPE",
    "KILL",
    "USR1",
    "SEGV",
    "USR2",
    "PIPE",
    "ALRM",
    "TERM",
    "STKFLT",
    "CHLD",
    "CONT",
    "STOP",
    "TSTP",
    "TTIN",
    "TTOU",
    "URG",
    "XCPU",
    "XFSZ",
    "VTALRM",
    "PROF",
    "WINCH",
    "IO",
    "PWR",
    "SYS",
]
NUMBERS = {name: number for number, name in enumerate(STANDARD, 1)} | {
    "IOT": 6,
    "CLD": 17,
    "POLL": 29,
}
RTMIN = 34
RTMAX = 64

HUP, INT, QUIT, KILL, PIPE, ALRM, TERM = (
    int(each) for each in (SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGPIPE, SIGALRM, SIGTERM)
)
CHLD, CONT, STOP, TSTP, TTIN, TTOU = (int(each) for each in (SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU))
WINCH, XFSZ, PWR = int(SIGWINCH), int(SIGXFSZ), int(SIGPWR)

# Libc's own, which no program can send on purpose: dropped where they can be caught, which is in the frozen file.
LIBC = frozenset({32, 33})
ALL = frozenset(range(1, RTMAX + 1)) - LIBC
# Two that no process can catch, and the one that is about init's own children.
NOT_FORWARDED = frozenset({KILL, STOP, CHLD})
# They ask a program to exit; --stop-signal adds others.
STOP_SIGNALS = frozenset({TERM, INT, QUIT})
# Those that are for init too: they end a pause, and the second one the grace period. QUIT is a polite stop of nginx's
# and others', which TERM follows in the same stop (a preStop hook's QUIT, then the kubelet).
FOR_INIT_TOO = frozenset({TERM, INT})
JOB_CONTROL = frozenset({TSTP, TTIN, TTOU})
# Their default action suspends a process.
SUSPENDING = JOB_CONTROL | {STOP}
# ^C and ^\\.
FATAL_KEYS = frozenset({INT, QUIT})
# What the terminal sends to its whole foreground group, and so to a payload in init's own group as well.
FROM_TERMINAL = frozenset({INT, QUIT, TSTP, WINCH})
# Init's own doing, when it is the sender: CONT after its own stop. Others that carry init's pid were sent before exec
# made this process the init, and are the payload's.
CAUSED_BY_INIT = frozenset({CONT})

# As a target of kill(2): as PID 1, all others of the namespace.
EVERYBODY = -1
# si_code of signals that the kernel itself sends, such as the terminal's (sigaction(2)).
SI_KERNEL = 0x80


def bit(number: int) -> int:
    """The bit of a signal, 1 to 64, in a set of signals: n-1 for signal n, as in the kernel's."""
    return 1 << (number - 1)


def number(word: str) -> int:
    """The number, 1 to 64, of a signal given as `15`, `TERM`, `SIGTERM`, `RTMIN+3` or `RTMAX-1`, in either case.

    Raises ValueError for anything else; 32 and 33 are libc's own and are none either.
    """
    name = word.upper().removeprefix("SIG")
    if name.isdecimal() and name.isascii() and word.isdecimal():
        found = int(name)
    elif name in NUMBERS:
        found = NUMBERS[name]
    else:
        found = _real_time(name)
    if found not in ALL:
        raise ValueError(word)
    return found


def _real_time(name: str) -> int:
    for base, start, sign in (("RTMIN", RTMIN, "+"), ("RTMAX", RTMAX, "-")):
        if name == base:
            return start
        offset = name.removeprefix(base + sign)
        if offset != name and offset.isdecimal() and offset.isascii():
            found = start + int(sign + offset)
            return found if RTMIN <= found <= RTMAX else 0
    return 0


def name(number: int) -> str:
    """The name of a signal, 1 to 64, without SIG: `TERM`, `RTMIN+3`, or the number itself for 32 and 33."""
    if number <= len(STANDARD):
        return STANDARD[number - 1]
    if number < RTMIN:
        return str(number)
    return f"RTMIN+{number - RTMIN}" if number > RTMIN else "RTMIN"
