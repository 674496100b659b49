"""Starts the payload, from source: the twin of build/runtime/spawn.c, with fork and a pipe that tells what failed."""

from __future__ import annotations

import errno
import os
import signal
from types import TracebackType
from typing import NoReturn

from pyinit import signals
from pyinit.native import fallback_exec
from pyinit.native.placement import Placement

# signal(7): CPython ignores these two when it starts; the payload must not inherit that.
IGNORED_BY_CPYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def fork_exec(
    argv: list[bytes],
    placement: Placement,
    terminal: int,
    mask: int,
    ignore_chld: bool,
    death_signal: int,
    identity: tuple[int, int, list[int]] | None,
    unset: list[bytes],
    own_pid: list[bytes],
    assign: list[bytes],
) -> tuple[int, int, str]:
    """Start a program; return its pid, 0 and "", or 0, the errno, and the name of the step that failed.

    `terminal` is a descriptor whose foreground it gets, or -1. Of `mask` bit n-1 stands for signal n. `death_signal`
    comes when init dies, 0: none does. `identity` are user, group and supplementary groups. Of the environment `unset`
    names what is left out, `own_pid` what is to hold the program's pid where it holds init's, and `assign` is
    NAME=VALUE.
    """
    init = os.getpid()
    try:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
    except OSError as error:
        return 0, error.errno or errno.EAGAIN, "fork"
    if pid == 0:
        with _Child(writer) as child:
            # Not as another user: the kernel would refuse that one /proc/self/environ.
            fallback_exec.set_environment(unset, own_pid, assign)
            child.place(placement, terminal)
            if identity:
                child.identify(*identity)
            if death_signal:
                child.die_with_init(death_signal, init)
            child.take(mask, ignore_chld)
            child.execute(argv, identity[0] if identity else None)
    try:
        report = _report(reader, writer)
        if report:
            os.waitpid(pid, 0)
    except OSError as error:
        # What has become of the child cannot be known: there must not be a payload that nobody knows of.
        os.kill(pid, signal.SIGKILL)
        return 0, error.errno or errno.EIO, "fork"
    finally:
        _close(reader)
    number, _, step = report.partition(b" ")
    return (0, int(number), step.decode()) if report else (pid, 0, "")


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        pass


def _report(reader: int, writer: int) -> bytes:
    """What the child says of its failure; nothing if its exec has closed the pipe."""
    os.close(writer)
    report = b""
    while part := os.read(reader, 256):
        report += part
    return report


class _Child:
    """The new process between fork and exec. What fails in it is told to the parent through the pipe, and ends it."""

    def __init__(self, report: int) -> None:
        self._report = report
        self._step = "fork"

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> NoReturn:
        try:
            if isinstance(error, OSError):
                os.write(self._report, f"{error.errno} {self._step}".encode())
        finally:
            os._exit(127)

    def place(self, placement: Placement, terminal: int) -> None:
        """Moves to its group or session, and into the terminal's foreground."""
        import fcntl
        import termios

        if placement is Placement.OWN_SESSION:
            self._step = "setsid"
            os.setsid()
        elif placement is Placement.OWN_GROUP:
            self._step = "setpgid"
            os.setpgid(0, 0)
        if terminal >= 0:
            try:
                if placement is Placement.OWN_SESSION:
                    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
                else:
                    os.tcsetpgrp(terminal, os.getpgrp())
            except OSError:
                pass

    def identify(self, user: int, group: int, groups: list[int]) -> None:
        """Become this user, but for the real and saved user ids: see `execute`. Only root keeps capabilities."""
        # With init's rights still: the user may not be allowed to read it.
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        self._step = "setgroups"
        os.setgroups(groups)
        self._step = "setgid"
        os.setresgid(group, group, group)
        self._step = "setuid"
        os.setresuid(-1, user, -1)
        if user:
            self._step = "capset"
            # Inheritable and ambient ones neither: those outlive exec, and a change from a user not root.
            # linux/capability.h: _LINUX_CAPABILITY_VERSION_3, this process; three sets in two words each.
            header = (ctypes.c_uint32 * 2)(0x20080522, 0)
            if library.capset(header, (ctypes.c_uint32 * 6)()):
                raise OSError(ctypes.get_errno(), "")

    def execute(self, argv: list[bytes], user: int | None) -> None:
        """Execute the program; as the last call before that take the real and saved ids of `user`, if it is one.

        Other processes of that user may then stop this one, and init waits for its exec.
        """

        if user is None:
            fallback_exec.execute(argv, None)
            return

        def become() -> None:
            self._step = "setuid"
            os.setresuid(user, user, user)
            self._step = "exec"

        fallback_exec.execute(argv, become)

    def die_with_init(self, number: int, init: int) -> None:
        """Have the kernel send this signal when init, of this pid, dies. A change of identity would undo it."""
        import prctl

        try:
            prctl.set_pdeathsig(number)
        except OSError:
            # With -p, init was refused it as well, and has said so.
            pass
        # Init may have died before that call. That cannot be told if the parent's pid is 0, which is an init in another
        # PID namespace, or -1, because a seccomp profile forbids the call.
        parent = os.getppid()
        if parent > 0 and init > 0 and parent != init:
            os.kill(os.getpid(), number)

    def take(self, mask: int, ignore_chld: bool) -> None:
        """Has the signals as init found them. The mask comes last: then the dispositions are the payload's."""
        self._step = "exec"
        for number in IGNORED_BY_CPYTHON:
            signal.signal(number, signal.SIG_DFL)
        if ignore_chld:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        _cannot_be_stopped()
        restored = {each for each in range(1, 65) if mask >> (each - 1) & 1} & signals.ALL
        signal.pthread_sigmask(signal.SIG_SETMASK, restored)


def _cannot_be_stopped() -> None:
    """A ^Z before the exec has no effect: init would wait for that, for ever. See spawn.c."""
    for number in signals.JOB_CONTROL:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _do_nothing)
            signal.siginterrupt(number, False)


def _do_nothing(_: int, __: object) -> None:
    pass
