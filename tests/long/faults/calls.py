"""Which system calls an init makes, from strace's log, and how each of them can fail."""

from __future__ import annotations

import re
from typing import NamedTuple

# What a seccomp profile answers (docker's default: EPERM; podman's: ENOSYS), so any call may.
FORBIDDEN = ("EPERM", "ENOSYS")
# From each call's ERRORS section in the manual, less what only a wrong argument can bring about (and EINTR of wait(2),
# which does not come with WNOHANG). A call that is not here can be forbidden all the same.
PLAUSIBLE: dict[str, tuple[str, ...]] = {
    "access": ("EACCES", "EIO", "ENOENT", "ENOMEM"),
    "arch_prctl": (),
    "bind": ("EACCES", "EADDRINUSE", "ENOMEM"),
    "brk": ("ENOMEM",),
    "chdir": ("EACCES", "EIO", "ENOENT", "ENOMEM"),
    "clone": ("EAGAIN", "ENOMEM", "ENOSPC"),
    "clone3": ("EAGAIN", "ENOMEM", "ENOSPC"),
    "close": ("EBADF", "EINTR", "EIO", "ENOSPC"),
    "close_range": ("EMFILE", "ENOMEM"),
    "dup2": ("EBADF", "EBUSY", "EINTR", "EMFILE"),
    "dup3": ("EBADF", "EBUSY", "EINTR", "EMFILE"),
    "fcntl": ("EBADF", "EINTR", "EMFILE"),
    "fork": ("EAGAIN", "ENOMEM"),
    "fstat": ("EBADF", "ENOMEM"),
    "getdents64": ("EBADF", "EIO", "ENOENT", "ENOTDIR"),
    "ioctl": ("EBADF", "EIO", "ENOTTY", "ENXIO"),
    "kill": ("ESRCH",),
    "lseek": ("EBADF", "ESPIPE"),
    "mmap": ("EAGAIN", "ENOMEM", "ENFILE", "EACCES"),
    "mprotect": ("EACCES", "ENOMEM"),
    "munmap": ("ENOMEM",),
    "newfstatat": ("EACCES", "EBADF", "ENOENT", "ENOMEM"),
    "open": ("EACCES", "EINTR", "EIO", "ELOOP", "EMFILE", "ENFILE", "ENOENT", "ENOMEM", "ENXIO"),
    "openat": ("EACCES", "EINTR", "EIO", "ELOOP", "EMFILE", "ENFILE", "ENOENT", "ENOMEM", "ENXIO"),
    "pidfd_open": ("EMFILE", "ENFILE", "ENODEV", "ENOMEM", "ESRCH"),
    "pipe2": ("EMFILE", "ENFILE"),
    "poll": ("EINTR", "ENOMEM"),
    "ppoll": ("EINTR", "ENOMEM"),
    "prctl": ("EACCES", "EINVAL"),
    "prlimit64": (),
    "pwritev2": ("EAGAIN", "EBADF", "EINTR", "EIO", "ENOSPC", "EOPNOTSUPP", "EPIPE"),
    "read": ("EAGAIN", "EBADF", "EINTR", "EIO"),
    "recvmsg": ("EAGAIN", "EINTR", "ENOMEM"),
    "rt_sigprocmask": (),
    "rt_sigtimedwait": ("EAGAIN", "EINTR"),
    "sendmsg": ("EAGAIN", "ECONNREFUSED", "EINTR", "ENOBUFS", "ENOMEM", "EPIPE"),
    "sendto": ("EAGAIN", "ECONNRESET", "EINTR", "ENOBUFS", "ENOMEM", "EPIPE"),
    "setsockopt": (),
    "signalfd4": ("EMFILE", "ENFILE", "ENODEV", "ENOMEM"),
    "socket": ("EACCES", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"),
    "vfork": ("EAGAIN", "ENOMEM"),
    "wait4": ("ECHILD",),
    "waitid": ("ECHILD",),
    "write": ("EAGAIN", "EBADF", "EINTR", "EIO", "ENOSPC", "EPIPE"),
    "writev": ("EAGAIN", "EBADF", "EINTR", "EIO", "ENOSPC", "EPIPE"),
}
# They do not return, or not as a call does that can be refused.
NEVER_FAIL = frozenset({"execve", "exit", "exit_group", "rt_sigreturn", "restart_syscall"})
# glibc takes what a filter answers for an address (sysdeps/unix/sysv/linux/brk.c): every program that it is in crashes.
CRASHES_GLIBC = "brk"
# pyinit from source: what the interpreter does before main() is not ours (see docs/reliability.md).
FIRST_OF_MAIN = re.compile(r"rt_sigprocmask\(SIG_SETMASK, ~\[")
CALL = re.compile(r"(\w+)\(")


class Call(NamedTuple):
    """One call in a trace: `nth` of this name since the trace began, counted from 1."""

    name: str
    nth: int
    line: int


def made(log: str, interpreted: bool = False) -> list[Call]:
    """The calls after execve; `interpreted`: those of main(), from its first one on, but for what crashes glibc."""
    counts: dict[str, int] = {}
    calls: list[Call] = []
    started = False
    for line, text in enumerate(log.splitlines()):
        found = CALL.match(text)
        if not found:
            continue
        name = found[1]
        counts[name] = counts.get(name, 0) + 1
        if interpreted and not started:
            started = bool(FIRST_OF_MAIN.match(text))
        if started and not (interpreted and name == CRASHES_GLIBC):
            calls.append(Call(name, counts[name], line))
        started = started or (name == "execve" and not interpreted and text.endswith(" = 0"))
    return calls


def errors(name: str) -> tuple[str, ...]:
    """The names of the errors that a call can plausibly fail with."""
    return () if name in NEVER_FAIL else (*FORBIDDEN, *PLAUSIBLE.get(name, ()))
