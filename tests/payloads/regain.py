"""Tries to become somebody else, or to be allowed more; says of each attempt whether it was refused."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Callable
from functools import partial

init = os.getppid()
libc = ctypes.CDLL(None, use_errno=True)
CAPABILITIES = (0, 1, 5, 6, 7, 21)  # CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID, SYS_ADMIN
HEADER = (ctypes.c_uint32 * 2)(0x20080522, 0)


def call(result: int) -> None:
    """Make a C function's failure an exception."""
    if result:
        raise OSError(ctypes.get_errno(), "")


def capset(sets: tuple[int, int, int]) -> None:
    """Set effective, permitted and inheritable capabilities, the first 32 of them."""
    call(libc.capset(HEADER, (ctypes.c_uint32 * 6)(*sets, 0, 0, 0)))


attempts: dict[str, Callable[[], object]] = {
    "setuid": lambda: os.setuid(0),
    "seteuid": lambda: os.seteuid(0),
    "setreuid": lambda: os.setreuid(0, 0),
    "setresuid": lambda: os.setresuid(0, 0, 0),
    "the first user": lambda: os.setresuid(900, 900, 900),
    "setgid": lambda: os.setgid(0),
    "setegid": lambda: os.setegid(0),
    "setresgid": lambda: os.setresgid(0, 0, 0),
    "setgroups": lambda: os.setgroups([0]),
    "no groups": lambda: os.setgroups([]),
    "chroot": lambda: os.chroot("/"),
    "a limit": lambda: resource.setrlimit(resource.RLIMIT_RTPRIO, (99, 99)),
    "priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -20),
    "init's signal": lambda: os.kill(init, 0),
    "init's memory": lambda: os.close(os.open(f"/proc/{init}/mem", os.O_RDWR)),
    "init's environment": lambda: os.close(os.open(f"/proc/{init}/environ", os.O_RDONLY)),
    "init's descriptors": lambda: os.listdir(f"/proc/{init}/fd"),
    **{f"permitted {number}": partial(capset, (0, 1 << number, 0)) for number in CAPABILITIES},
    **{f"effective {number}": partial(capset, (1 << number, 1 << number, 0)) for number in CAPABILITIES},
    **{f"inheritable {number}": partial(capset, (0, 0, 1 << number)) for number in CAPABILITIES},
}
for name, attempt in attempts.items():
    sys.stdout.flush()
    # Each in a process of its own: one that succeeds must not spoil the next.
    if os.fork() == 0:
        try:
            attempt()
        except OSError:
            print(f"{name}: refused")
        else:
            print(f"{name}: allowed")
        sys.stdout.flush()
        os._exit(0)
    os.wait()
