"""Start the payload, from source: the counterpart of build/runtime/spawn.c, with fork and a pipe for its errors."""

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

    `terminal` is the descriptor of a terminal whose foreground the
    program gets, or -1. In `mask`, its signal mask, bit n-1 stands for signal n. `death_signal` is its parent-death
    signal, 0 for none. `identity` is user, group and supplementary groups. Of its environment, `unset` are the names to
    remove, `own_pid` the names whose value becomes its pid where it is init's, and `assign` NAME=VALUE pairs to set.
    """
    init = os.getpid()
    try:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
    except OSError as error:
        return 0, error.errno or errno.EAGAIN, "fork"
    if pid == 0:
        with _Child(writer) as child:
            # Before the change of user: the kernel would refuse another user /proc/self/environ.
            fallback_exec.set_environment(unset, own_pid, assign)
            child.place(placement, terminal)
            if identity:
                child.identify(*identity)
            if death_signal:
                child.die_with_init(death_signal, init)
            child.restore_signals(mask, ignore_chld)
            child.execute(argv, identity[0] if identity else None)
    try:
        report = _report(reader, writer)
        if report:
            os.waitpid(pid, 0)
    except OSError as error:
        # Init cannot know whether the program runs, and no payload may run that init does not know of.
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
    """Return the child's report of what failed; empty once its exec has closed the pipe."""
    os.close(writer)
    report = b""
    while part := os.read(reader, 256):
        report += part
    return report


class _Child:
    """The new process between fork and exec. It reports a failed call to init through the pipe, and exits."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._step = "fork"

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> NoReturn:
        try:
            if isinstance(error, OSError):
                os.write(self._pipe, f"{error.errno} {self._step}".encode())
        finally:
            os._exit(127)

    def place(self, placement: Placement, terminal: int) -> None:
        """Move to its process group or session, and put that into the terminal's foreground."""
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
        """Take this identity, except the real and saved user ids: see `execute`. Only root keeps capabilities."""
        # Imported now: the user may not be allowed to read the module.
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
            # Inheritable and ambient ones must go too: they survive exec, and a change from a user other than root.
            # linux/capability.h: _LINUX_CAPABILITY_VERSION_3, this process; three sets in two words each.
            header = (ctypes.c_uint32 * 2)(0x20080522, 0)
            if library.capset(header, (ctypes.c_uint32 * 6)()):
                raise OSError(ctypes.get_errno(), "")

    def execute(self, argv: list[bytes], user: int | None) -> None:
        """Execute the program. The last call before that takes the real and saved user ids of `user`, if given.

        From then on other processes of that user may stop this one, while init waits for its exec.
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
        """Have the kernel send this signal when init dies, whose pid is `init`. A change of identity would undo it."""
        import prctl

        try:
            prctl.set_pdeathsig(number)
        except OSError:
            # Init was refused it as well, and has logged that if -p was given.
            pass
        # Init may have died before that call. That cannot be seen if the parent's pid is 0 (an init in another PID
        # namespace), or -1 (a seccomp profile forbids the call).
        parent = os.getppid()
        if parent > 0 and init > 0 and parent != init:
            os.kill(os.getpid(), number)

    def restore_signals(self, mask: int, ignore_chld: bool) -> None:
        """Restore signals as init found them. The mask comes last, when all dispositions are the payload's."""
        self._step = "exec"
        for number in IGNORED_BY_CPYTHON:
            signal.signal(number, signal.SIG_DFL)
        if ignore_chld:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        _disable_terminal_stops()
        restored = {number for number in signals.ALL if mask & signals.bit(number)}
        signal.pthread_sigmask(signal.SIG_SETMASK, restored)


def _disable_terminal_stops() -> None:
    """Make ^Z have no effect before the exec: init waits for that, and nobody would send CONT. See spawn.c."""
    for number in signals.JOB_CONTROL:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _do_nothing)
            signal.siginterrupt(number, False)


def _do_nothing(_: int, __: object) -> None:
    pass
