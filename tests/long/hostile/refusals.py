"""The table of refused system calls: those that an init can do without, and those that it cannot."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence

from tests.long.hostile.contract import Start
from tests.support.syscalls import NUMBERS

# The first that Linux 5.1 had and 4.19, Debian 10's, had not, to the last of 2024.
NEW = "424-462"
ERRORS = (errno.EPERM, errno.ENOSYS)


def refused(names: Sequence[str], error: int) -> Start:
    """A start under a seccomp filter that answers these calls (their names, or numbers) with an error."""
    filtered = tuple(f"{NUMBERS.get(name, name)}:{error}" for name in names)
    return Start(f"{errno.errorcode[error]}: {', '.join(names)}", refuse=filtered)


# Without these an init still does all its work.
DISPENSABLE = (
    ("prctl",),
    ("clone3",),
    ("pidfd_open",),
    ("rt_sigtimedwait",),
    ("close_range",),
    ("poll",),
    ("waitid",),
    ("chdir",),
    ("openat",),
    ("prctl", "clone3", "pidfd_open", "rt_sigtimedwait", "close_range", "waitid"),
    (NEW,),
)
# Without these it cannot, and says so.
NEEDED: Mapping[tuple[str, ...], str] = {
    ("clone",): "fork failed: ",
    ("setpgid",): "setpgid failed: ",
    ("wait4",): "processes cannot be waited for: ",
    ("rt_sigprocmask",): "signals cannot be taken over: ",
    ("rt_sigaction",): "signals cannot be taken over: ",
    ("rt_sigtimedwait", "poll"): "signals cannot be waited for: ",
    ("rt_sigtimedwait", "pipe2", "pipe"): "signals cannot be waited for: ",
    ("rt_sigtimedwait", "fcntl"): "signals cannot be waited for: ",
}
# From source the interpreter, or the way a payload is started there, needs more.
NEEDED_FROM_SOURCE = frozenset({("openat",), ("rt_sigtimedwait", "pipe2", "pipe"), ("rt_sigtimedwait", "fcntl")})
