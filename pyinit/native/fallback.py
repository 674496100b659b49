"""The seam's calls from source: what the frozen file has built in, done with what CPython offers."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from contextlib import suppress

import prctl

from pyinit import exit_codes, signals
from pyinit.exit_codes import Failure
from pyinit.native.fallback_spawn import fork_exec

# pwritev2(2): as an offset, that of the open file; pipes have none.
WHERE_IT_IS = -1
BORROWED_IDENTITY = "start: real and effective ids differ: is the file set-user-ID? chmod ug-s takes that away"
# fs.nr_open, unless an administrator has raised it.
MOST_DESCRIPTORS = 1 << 20
# Bytes in glibc's sigset_t.
SIGSET = 128
# waitstatus_to_exitcode's value for a child that KILL has ended, and a shell's for one whose last command it has.
KILLED = (-signal.SIGKILL, exit_codes.KILLED)

__all__ = [
    "alone",
    "close_range",
    "fork_exec",
    "getenv",
    "open_terminal",
    "reap",
    "set_title",
    "signal_descriptor",
    "take_over",
    "wait_and_reap",
    "wait_signal",
    "write_at_once",
]


def take_over() -> tuple[int, bool]:
    """Blocks every signal and makes SIGCHLD default.

    Returns the mask that init was started with (bit n-1 for signal n) and whether SIGCHLD was ignored.
    Raises Failure where real and effective ids differ, as the frozen file does at its start.
    """
    if os.getuid() != os.geteuid() or os.getgid() != os.getegid():
        raise Failure(BORROWED_IDENTITY)
    before = signal.pthread_sigmask(signal.SIG_SETMASK, signals.ALL)
    ignored = signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _set_name()
    return sum(signals.bit(number) for number in before), ignored


def set_title(title: str) -> None:
    """Set the process title, cut to the length of the arguments; environ and comm in /proc (proc(5)) do not change."""
    try:
        from setproctitle import setproctitle
    except OSError:
        # There is no descriptor to spare.
        return
    # Without it setproctitle overwrites the environment too, which other programs read in /proc/1/environ.
    os.putenv("SPT_NOENV", "1")
    setproctitle(title)
    # setproctitle has set the name to the title.
    _set_name()


def _set_name() -> None:
    """Name the process after the program that was run: `pyinit`, not the interpreter, for `python3 -m pyinit`."""
    name = os.path.basename(sys.argv[0])
    try:
        prctl.set_name("pyinit" if name == "__main__.py" else name)
    except (OSError, UnicodeError):
        # A seccomp profile forbids it, and so to setproctitle; or the name is not valid UTF-8.
        pass


def getenv(name: bytes) -> bytes | None:
    """The value of an environment variable, or None."""
    return os.environb.get(name)


def open_terminal() -> int:
    """A descriptor of the controlling terminal, to be read only; -errno if it cannot be opened, which is usual."""
    try:
        # For ioctls only: TIOCSCTTY wants a descriptor that can be read, nothing wants one to be written to.
        return os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        return -(error.errno or errno.ENODEV)


def alone() -> bool:
    """Whether init, PID 1, is the only process of its namespace. False too where it may not ask, by kill(2)."""
    try:
        os.kill(signals.EVERYBODY, 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False


def close_range(first: int) -> None:
    """Close every descriptor from `first`, which is above 0, on."""
    try:
        listed = [int(name) for name in os.listdir("/proc/self/fd")]
    except (OSError, ValueError):
        # There is no /proc, or it is not the kernel's.
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        os.closerange(first, MOST_DESCRIPTORS if limit < 0 else min(limit, MOST_DESCRIPTORS))
        return
    for descriptor in listed:
        if descriptor >= first:
            # The listing's own is closed already.
            with suppress(OSError):
                os.close(descriptor)


def wait_signal(passed_over: int, seconds: float | None) -> tuple[int, int, int] | None:
    """The next signal but those passed over, as of signals.bit: its number, si_code and sender's pid (sigwaitinfo(2)).

    None after so many seconds; None for `seconds` means no end. In the frozen file None may come earlier: after a stop,
    or when a tracer comes.
    """
    wanted = [each for each in signals.ALL if not passed_over & signals.bit(each)] if passed_over else signals.ALL
    received = signal.sigwaitinfo(wanted) if seconds is None else signal.sigtimedwait(wanted, seconds)
    return (received.si_signo, received.si_code, received.si_pid) if received else None


def wait_and_reap(_how: int, _payload: int, _most: int, _turns: int, /) -> tuple[int, int, int] | None:
    """The next signal, as `wait_signal` has it; children that do not matter may be reaped on the way, as by `reap`.

    They are by the frozen file, where an orphan then takes no more than in a program in C; after `_turns` SIGCHLD in a
    row other signals have a turn. A child that matters comes as SIGCHLD, and is what `reap` says first.
    """
    return wait_signal(0, None)


def signal_descriptor() -> int:
    """A descriptor that can be read as long as a signal is pending (signalfd(2)). Raises OSError as that does."""
    import ctypes

    mask = ctypes.create_string_buffer(sum(signals.bit(number) for number in signals.ALL).to_bytes(SIGSET, "little"))
    descriptor: int = ctypes.CDLL(None, use_errno=True).signalfd(-1, mask, os.O_CLOEXEC | os.O_NONBLOCK)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return descriptor


def reap(how: int, payload: int, most: int) -> tuple[int, int, int]:
    """waitpid(-1, how) until a child that matters: its pid, its wait status, and how many were taken, itself included.

    All matter if `payload` is 0. Otherwise it is a pid, and only that one does, with children that were stopped or
    continued and have not ended, and those that KILL has ended, or so a shell says (137): was it the OOM killer?
    Pid 0: none did, of `most` or of as many as have ended; pid -1: there are no children. Raises OSError as waitpid(2)
    for anything else than that.
    """
    for taken in range(most):
        try:
            pid, status = os.waitpid(-1, how)
        except ChildProcessError:
            return -1, 0, taken
        if pid == 0:
            return 0, 0, taken
        changed = os.WIFSTOPPED(status) or os.WIFCONTINUED(status)
        if payload in (0, pid) or changed or os.waitstatus_to_exitcode(status) in KILLED:
            return pid, status, taken + 1
    return 0, 0, most


def write_at_once(descriptor: int, data: bytes) -> int:
    """Writes as much as is taken without waiting; how many bytes. Raises OSError, BlockingIOError if none was."""
    try:
        return os.pwritev(descriptor, [data], WHERE_IT_IS, os.RWF_NOWAIT)
    except NotImplementedError:
        # musl has pwritev2 since 1.2.5.
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
