"""The calls of the native interface from source: what is C in the frozen file, in Python."""

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

# pwritev2(2): write at the position of the open file; a pipe has none.
CURRENT_POSITION = -1
SET_USER_ID = "start: real and effective ids differ: is the file set-user-ID? chmod ug-s takes that away"
# fs.nr_open, unless an administrator has raised it.
MOST_DESCRIPTORS = 1 << 20
# Bytes in glibc's sigset_t.
SIGSET = 128
# os.waitstatus_to_exitcode: for a child that KILL has ended, and for a shell whose last command KILL has ended.
MAYBE_OOM_KILLED = (-signal.SIGKILL, exit_codes.KILLED)

__all__ = [
    "block_signals",
    "close_range",
    "fork_exec",
    "getenv",
    "is_last_process",
    "open_terminal",
    "reap",
    "set_title",
    "signal_descriptor",
    "wait_and_reap",
    "wait_signal",
    "write_nowait",
]


def block_signals() -> tuple[int, bool]:
    """Block every signal, and set SIGCHLD to its default.

    Return the signal mask that init was started with (bit n-1 for signal n), and True if SIGCHLD was ignored. Raises
    Failure if the real and effective ids differ; the frozen file refuses that as soon as it starts.
    """
    if os.getuid() != os.geteuid() or os.getgid() != os.getegid():
        raise Failure(SET_USER_ID)
    before = signal.pthread_sigmask(signal.SIG_SETMASK, signals.ALL)
    ignored = signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _set_name()
    return sum(signals.bit(number) for number in before), ignored


def set_title(title: str) -> None:
    """Set the process title, cut to the length of the arguments; /proc/PID/environ and comm do not change (proc(5))."""
    try:
        from setproctitle import setproctitle
    except OSError:
        # The module cannot be loaded: there is no descriptor to spare.
        return
    # Without this, setproctitle overwrites the environment too, which other programs read in /proc/1/environ.
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
        # A seccomp profile forbids it, for setproctitle as well; or the name is not valid UTF-8.
        pass


def getenv(name: bytes) -> bytes | None:
    """Return the value of an environment variable, or None."""
    return os.environb.get(name)


def open_terminal() -> int:
    """Open the controlling terminal; return a descriptor for ioctls, or -errno, which is usual."""
    try:
        # TIOCSCTTY needs a descriptor that is open for reading; no ioctl needs one for writing.
        return os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        return -(error.errno or errno.ENODEV)


def is_last_process() -> bool:
    """Return True if init, PID 1, is the only process in its namespace; False also if it may not call kill(2)."""
    try:
        os.kill(signals.EVERYBODY, 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False


def close_range(first: int) -> None:
    """Close every descriptor from `first`, which is above 0, upwards."""
    try:
        listed = [int(name) for name in os.listdir("/proc/self/fd")]
    except (OSError, ValueError):
        # There is no /proc, or it is not the kernel's.
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        os.closerange(first, MOST_DESCRIPTORS if limit < 0 else min(limit, MOST_DESCRIPTORS))
        return
    for descriptor in listed:
        if descriptor >= first:
            # listdir has closed its own already.
            with suppress(OSError):
                os.close(descriptor)


def wait_signal(passed_over: int, seconds: float | None) -> tuple[int, int, int] | None:
    """Wait for a signal; return its number, its si_code and its sender's pid (sigwaitinfo(2)).

    Signals whose bits (`signals.bit`) are set in `passed_over` stay pending. Return None after `seconds`; if that is
    None, wait without end. The frozen file may return None earlier: after init was stopped, or when a tracer attaches.
    """
    wanted = [number for number in signals.ALL if not passed_over & signals.bit(number)] if passed_over else signals.ALL
    received = signal.sigwaitinfo(wanted) if seconds is None else signal.sigtimedwait(wanted, seconds)
    return (received.si_signo, received.si_code, received.si_pid) if received else None


def wait_and_reap(_how: int, _payload: int, _most: int, _turns: int, /) -> tuple[int, int, int] | None:
    """Wait for a signal and return it, as `wait_signal` does. Arguments are those of `reap`, and `_turns`.

    The frozen file reaps children that do not matter without returning, so that an orphan costs no more than in an init
    that is written in C. After `_turns` SIGCHLD in a row other signals have their turn. For a child that matters it
    returns SIGCHLD, and the next `reap` returns that child first.
    """
    return wait_signal(0, None)


def signal_descriptor() -> int:
    """Return a descriptor that is readable while a signal is pending. Raises OSError as signalfd(2) does."""
    import ctypes

    mask = ctypes.create_string_buffer(sum(signals.bit(number) for number in signals.ALL).to_bytes(SIGSET, "little"))
    descriptor: int = ctypes.CDLL(None, use_errno=True).signalfd(-1, mask, os.O_CLOEXEC | os.O_NONBLOCK)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return descriptor


def reap(how: int, payload: int, most: int) -> tuple[int, int, int]:
    """Reap `most` children at the most, by waitpid(-1, how), until one that matters.

    Return its pid, its wait status, and how many children were reaped, itself included. The pid is 0 if none of these
    children mattered, and -1 if init has no children. Raises OSError as waitpid(2) for any other error.

    If `payload` is 0, all children matter. Otherwise it is the pid of the one that does. Besides, children matter that
    were stopped or continued, and those that KILL may have ended (137 is what a shell makes of that): it may have been
    the OOM killer.
    """
    for taken in range(most):
        try:
            pid, status = os.waitpid(-1, how)
        except ChildProcessError:
            return -1, 0, taken
        if pid == 0:
            return 0, 0, taken
        changed = os.WIFSTOPPED(status) or os.WIFCONTINUED(status)
        if payload in (0, pid) or changed or os.waitstatus_to_exitcode(status) in MAYBE_OOM_KILLED:
            return pid, status, taken + 1
    return 0, 0, most


def write_nowait(descriptor: int, data: bytes) -> int:
    """Write what can be written without waiting; return the number of bytes.

    Raises OSError as pwritev2(2) does: BlockingIOError if nothing could be written.
    """
    try:
        return os.pwritev(descriptor, [data], CURRENT_POSITION, os.RWF_NOWAIT)
    except NotImplementedError:
        # musl has pwritev2 since 1.2.5.
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
