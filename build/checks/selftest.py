"""A program that is frozen as pyinit is, runs in the build, and fails it: does the restored interpreter work?

Every function here named check_* is called; the first that raises ends the program with one line and code 125.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import stat
import sys
import time

import _pyinit
import prctl
import setproctitle

EVERY_SIGNAL = range(1, 65)
UNBLOCKABLE = (signal.SIGKILL, signal.SIGSTOP)


def main() -> int:
    """Call every check in the order of their names' appearance."""
    for name, check in list(globals().items()):
        if name.startswith("check_"):
            check()
            os.write(1, f"{name}: ok\n".encode())
    return 0


def check_start() -> None:
    """Everything is blocked, and what was blocked before is known."""
    mask, ignored = _pyinit.block_signals()
    assert (mask, ignored) == (0, False), (mask, ignored)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert blocked == set(EVERY_SIGNAL) - set(UNBLOCKABLE), blocked
    assert os.fsencode(sys.argv[1]) == b"caf\xe9", sys.argv


def check_signals() -> None:
    """All 64, those that musl hides included."""
    for number in set(EVERY_SIGNAL) - set(UNBLOCKABLE):
        os.kill(os.getpid(), number)
        received = signal.sigwaitinfo(set(EVERY_SIGNAL)).si_signo
        assert received == number, (number, received)
    assert signal.sigtimedwait({34}, 0.001) is None


def check_waiting() -> None:
    """The program's own wait and reap: what comes, what does not, and which children matter."""
    os.kill(os.getpid(), 34)
    os.kill(os.getpid(), signal.SIGCHLD)
    assert _pyinit.wait_signal(1 << signal.SIGCHLD - 1, None)[0] == 34
    assert _pyinit.wait_signal(1 << signal.SIGCHLD - 1, 0.001) is None
    assert _pyinit.wait_signal(0, 0.0) == (signal.SIGCHLD, 0, os.getpid())
    codes = (0, 3, 137, 4)
    pids = [os.fork() or os._exit(code) for code in codes]
    for pid in pids:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert _pyinit.reap(os.WNOHANG, pids[3], 2) == (0, 0, 2)
    assert _pyinit.wait_and_reap(os.WNOHANG, pids[3], 64, 16)[0] == signal.SIGCHLD
    assert _pyinit.reap(os.WNOHANG, pids[3], 64) == (pids[2], 137 << 8, 1)
    assert _pyinit.reap(os.WNOHANG, 0, 64) == (pids[3], 4 << 8, 1)
    assert _pyinit.reap(os.WNOHANG, 0, 64) == (-1, 0, 0)
    _pyinit.wait_signal(0, 0.0)


class Handler:
    """A signal handler that keeps what it was called with."""

    def __init__(self) -> None:
        self.received: list[int] = []

    def __call__(self, number: int, _frame: object) -> None:
        """Called by Python."""
        self.received.append(number)


def check_handler() -> None:
    """Python's handlers run, and for 34 too."""
    for number in (signal.SIGUSR1, 34):
        handler = Handler()
        signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
        signal.signal(number, signal.SIG_DFL)
        assert handler.received == [number], handler.received


def check_wakeup() -> None:
    """A wake-up descriptor gets a byte for each signal."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGUSR2, Handler())
    os.kill(os.getpid(), signal.SIGUSR2)
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    assert poll.poll(0) == []
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})
    assert poll.poll(1000) == [(reader, select.POLLIN)]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    assert os.read(reader, 10) == bytes([signal.SIGUSR2])
    signal.set_wakeup_fd(-1)


def check_fork() -> None:
    """A forked child runs Python."""
    pid = os.fork()
    if pid == 0:
        os._exit(sum(range(4)))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 6


def check_surroundings() -> None:
    """A build is no PID 1, and may have a terminal or not."""
    assert not _pyinit.is_last_process()
    terminal = _pyinit.open_terminal()
    assert terminal == -errno.ENXIO or os.isatty(terminal), terminal
    if terminal >= 0:
        os.close(terminal)


def spawn(*argv: bytes, assign: tuple[bytes, ...] = ()) -> tuple[int, int, str]:
    """fork_exec with nothing asked for."""
    return _pyinit.fork_exec(list(argv), 1, -1, 0, False, 0, None, [b"GONE"], [b"PID"], list(assign))


def check_spawn() -> None:
    """The payload's environment, and what is said when there is no program."""
    test = b'test "$PID" = 1 && test "$SET" = "a=b" && test -z "$GONE" && test "$KEPT" = yes && exit 7'
    pid, number, step = spawn(b"sh", b"-c", test, assign=(b"SET=a=b",))
    assert (number, step) == (0, ""), (number, step)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert spawn(b"no-such-program") == (0, errno.ENOENT, "exec")
    assert spawn(b"/etc") == (0, errno.EACCES, "exec")
    assert spawn(b"") == (0, errno.ENOENT, "exec")


def recurse(depth: int) -> int:
    """Python's own limit must come before the stack's end."""
    return recurse(depth + 1)


def check_recursion() -> None:
    """Endless recursion is an exception, more than once, and through C too."""
    for _ in range(3):
        try:
            recurse(0)
        except RecursionError:
            continue
        raise AssertionError("no RecursionError")
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    try:
        repr(nested)
    except RecursionError:
        return
    raise AssertionError("no RecursionError from repr()")


class Point:
    """As many arguments as a caller likes."""

    def __init__(self, x: int, y: int = 2, *rest: int, name: str = "") -> None:
        if x < 0:
            raise ValueError(name)
        self.values = (x, y, *rest)
        self.name = name


class Place(Point):
    """One that is begun as its base is."""

    __slots__ = ("there",)


def check_classes() -> None:
    """Objects are made of what their classes take, those of classes that are made now too."""
    late = type("Late", (Place,), {"__init__": lambda self, x: Point.__init__(self, x + 1)})
    for kind in (Point, Place):
        assert (kind(1).values, kind(1, 3, name="n").name) == ((1, 2), "n"), kind
        assert kind(*range(30), name="many").values == tuple(range(30)), kind
        for wrong, words in ((TypeError, {}), (TypeError, {"z": 1}), (ValueError, {"x": -1})):
            try:
                kind(**words)
            except wrong:
                continue
            raise AssertionError(f"no {wrong.__name__} from {kind.__name__}")
    assert late(1).values == (2, 2)


def check_exceptions() -> None:
    """Raised, chained, cleaned up after; a missing module is one too."""
    try:
        try:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        finally:
            cleaned = True
    except FileNotFoundError as error:
        assert cleaned, error
        assert "No such file" in str(error), error
    try:
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        return
    raise AssertionError("no ImportError")


def check_memory() -> None:
    """Much memory, given back and taken again; objects that grow."""
    for _ in range(3):
        blocks = [bytearray(300_000) for _ in range(60)]
        numbers = {number: str(number) for number in range(50_000)}
        assert len(blocks) == 60, blocks
        assert numbers[49_999] == "49999"
    text = ""
    for _ in range(10_000):
        text += "\u00e9x"
    assert len(text) == 20_000


def check_collector() -> None:
    """Cycles made now are found; what the snapshot holds is not looked at."""
    gc.collect()
    for _ in range(2_000):
        cycle: list[object] = []
        cycle.append(cycle)
    del cycle
    assert gc.isenabled()
    assert gc.collect() < 2_000, "the collector does not run by itself"
    assert gc.get_freeze_count() > 1_000, gc.get_freeze_count()


def check_modules() -> None:
    """Time, files and numbers."""
    before = time.monotonic()
    assert time.time() > 1_700_000_000
    assert time.monotonic() >= before
    assert stat.S_ISDIR(os.stat("/").st_mode)
    assert (1 / 3, f"{2.0005:.2f}", 10**30 // 7) == (0.3333333333333333, "2.00", 142857142857142857142857142857)
    assert os.fsdecode(b"\xff\xc3\xa9") == "\udcff\u00e9"


def check_prctl() -> None:
    """python-prctl, with our stand-in for libcap."""
    prctl.set_child_subreaper(1)
    assert prctl.get_child_subreaper() == 1
    prctl.set_pdeathsig(signal.SIGTERM)
    assert prctl.get_pdeathsig() == signal.SIGTERM
    prctl.set_pdeathsig(0)
    prctl.cap_inheritable.net_raw = False
    assert not prctl.cap_inheritable.net_raw


def read_own(name: str) -> bytes:
    """Return the start of a file of this process's in /proc, which holds no more than that here."""
    descriptor = os.open(f"/proc/self/{name}", os.O_RDONLY)
    text = os.read(descriptor, 10_000)
    os.close(descriptor)
    return text


def check_title() -> None:
    """The title is set, cut to the room of the arguments; the environment and the name stay as they were."""
    before = read_own("environ"), read_own("comm")
    room = len(read_own("cmdline"))
    for title in ("pyinit: stopping", "x" * 5_000, "short"):
        setproctitle.setproctitle(title)
        assert setproctitle.getproctitle() == title[: room - 2], setproctitle.getproctitle()
        assert read_own("cmdline") == title[: room - 2].encode().ljust(room, b"\0")
        assert (read_own("environ"), read_own("comm")) == before
    assert _pyinit.getenv(b"KEPT") == b"yes"
    assert _pyinit.getenv(b"NOT THERE") is None
    check_spawn()
