"""The names, numbers and kinds of signals on Linux, x86-64 (signal(7)).

RTMIN is always 34, as for glibc, docker and systemd, even where the libc has another (musl: 35). Signals 32 and 33 are
reserved for libc and are dropped.
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
    int(signal) for signal in (SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGPIPE, SIGALRM, SIGTERM)
)
CHLD, CONT, STOP, TSTP, TTIN, TTOU = (int(signal) for signal in (SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU))
WINCH, XFSZ, PWR = int(SIGWINCH), int(SIGXFSZ), int(SIGPWR)

# Reserved for libc: programs do not send them on purpose. The frozen file, which can catch them, drops them.
LIBC = frozenset({32, 33})
ALL = frozenset(range(1, RTMAX + 1)) - LIBC
# The two that no process can catch, and the one that reports init's own children.
NOT_FORWARDED = frozenset({KILL, STOP, CHLD})
# They ask a program to exit; --stop-signal adds others.
STOP_SIGNALS = frozenset({TERM, INT, QUIT})
# Stop signals that init itself obeys: the first ends a pause, the second the grace period. QUIT is not one: nginx and
# others take it for a graceful stop, and TERM may follow in the same stop (a preStop hook's QUIT, the kubelet's TERM).
FOR_INIT_TOO = frozenset({TERM, INT})
JOB_CONTROL = frozenset({TSTP, TTIN, TTOU})
# Their default action suspends a process.
SUSPENDING = JOB_CONTROL | {STOP}
# ^C and ^\\.
FATAL_KEYS = frozenset({INT, QUIT})
# Signals that the terminal sends to its whole foreground group, so also to a payload in init's own group.
FROM_TERMINAL = frozenset({INT, QUIT, TSTP, WINCH})
# Signals that init has caused, if it is their sender: CONT after its own stop. Other signals with init's pid were sent
# before exec turned that process into init, and are meant for the payload.
CAUSED_BY_INIT = frozenset({CONT})

# A target of kill(2): for PID 1, all other processes of the namespace.
EVERYBODY = -1
# The si_code of signals that the kernel itself sends, for a terminal for example (sigaction(2)).
SI_KERNEL = 0x80


def bit(number: int) -> int:
    """Return the bit of a signal, 1 to 64, in a signal set: bit n-1 for signal n, as in the kernel."""
    return 1 << (number - 1)


def number(word: str) -> int:
    """Return the number of a signal given as `15`, `TERM`, `SIGTERM`, `RTMIN+3` or `RTMAX-1`, in upper or lower case.

    Raises ValueError for anything else, and for 32 and 33, which are reserved for libc.
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
    """Return the name of a signal, 1 to 64, without SIG: `TERM`, `RTMIN+3`. For 32 and 33 it is the number."""
    if number <= len(STANDARD):
        return STANDARD[number - 1]
    if number < RTMIN:
        return str(number)
    return f"RTMIN+{number - RTMIN}" if number > RTMIN else "RTMIN"
