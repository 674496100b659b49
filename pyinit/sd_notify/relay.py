"""The sd_notify relay: what the payload tells its service manager is passed on by init (sd_notify(3)).

systemd-nspawn listens to PID 1 alone, and systemd to a service's main process by default. The payload gets an
abstract socket of init's own, which needs no file system that both can see and write. What arrives there is passed
on and never acted upon.
"""

from __future__ import annotations

import _socket
import errno
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

from pyinit import fds, signals
from pyinit.event_loop import EventLoop
from pyinit.procfs import processes
from pyinit.report.log import Log
from pyinit.sd_notify import protocol
from pyinit.sd_notify.protocol import INT, UCRED, Ancillary
from pyinit.sd_notify.repeated_warnings import Repeats

VARIABLE = b"NOTIFY_SOCKET"
MESSAGE = "a message to the service manager"
# systemd's NOTIFY_BUFFER_MAX is PIPE_BUF: it refuses what is longer.
LONGEST = 4096
# The kernel's SCM_MAX_FD (unix(7)).
MOST_DESCRIPTORS = 253
# Seconds until init tries again: the receiver's queue is full, or the kernel refuses something.
PAUSE = 0.05
# Bytes in sockaddr_un's sun_path (unix(7)).
LONGEST_ADDRESS = 108
# Seconds that passing on may take when init ends, and then, seconds between two looks whether the helper has ended.
LAST_PATIENCE = 1.0
LAST_PAUSE = 0.002
# Seconds between two signals that interrupt the helper's waits.
TICK = 0.05


class Relay:
    """Passes datagrams on from a socket of its own to the one that NOTIFY_SOCKET named."""

    __slots__ = (
        "_address",
        "_carries",
        "_failing",
        "_helpers",
        "_log",
        "_loop",
        "_repeats",
        "_socket",
        "_then",
        "_users",
        "_watched",
    )

    def __init__(self, address: bytes, users: frozenset[int], helpers: set[int], log: Log) -> None:
        """`users` are those who are believed where init is not PID 1; `helpers` gets the pid of the relay's helper.

        Raises OSError where the kernel has no UNIX sockets or no descriptor left.
        """
        # unix(7): a leading NUL makes an abstract address, which the variable writes as @.
        self._address = b"\0" + address[1:] if address.startswith(b"@") else address
        self._users = users
        self._helpers = helpers
        self._log = log
        self._repeats = Repeats(log)
        self._loop: EventLoop | None = None
        self._failing = self._watched = False
        # Whether the first message of the queue has descriptors.
        self._carries = False
        # What to do after a pause.
        self._then: Callable[[], None] | None = None
        flags = _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK
        fresh = _socket.socket(_socket.AF_UNIX, flags)
        self._socket = _socket.socket(fileno=fds.above_standard(fresh.detach()))
        self._socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_PASSCRED, 1)
        # An empty name asks the kernel for a free abstract one.
        self._socket.bind(b"")

    def assign(self) -> bytes:
        """What the payload's environment gets."""
        name: bytes = self._socket.getsockname()
        return VARIABLE + b"=@" + name[1:]

    def keep(self, first: int) -> int:
        """Moves the socket to descriptor `first`; returns the first that is not in use."""
        descriptor = self._socket.detach()
        fds.move(descriptor, first)
        self._socket = _socket.socket(fileno=first)
        return first + 1

    def begin(self, loop: EventLoop) -> bool:
        """From now on what arrives is passed on; False where that cannot be: then the senders get an error."""
        self._loop = loop
        self._repeats.begin(loop)
        try:
            self._listen()
        except OSError as error:
            self._log.warning(f"messages to the service manager will not be passed on: {error.strerror}")
            self._socket.close()
            return False
        return True

    def reap(self) -> None:
        """Reap the relay's helper if it has ended: it has removed a message from the queue, and the next can be read.

        To be called when a child of init's may have ended, before others are reaped.
        """
        for helper in tuple(self._helpers):
            try:
                ended, status = os.waitpid(helper, os.WNOHANG)
            except ChildProcessError:
                # It ended after the last look, and was reaped as any other child.
                ended, status = helper, 0
            except OSError:
                self._pause(self.reap)
                return
            if ended:
                self._helpers.remove(helper)
                self._removed(os.waitstatus_to_exitcode(status))

    def drain(self) -> None:
        """At the end: passes on what has arrived, for a second at the most.

        A receiver may be busy, and a sender may never tire.
        """
        self._loop = None
        end = time.monotonic() + LAST_PATIENCE
        arrived = True
        while arrived and time.monotonic() < end:
            if self._then:
                time.sleep(PAUSE)
                self._go_on()
            elif self._helpers:
                time.sleep(LAST_PAUSE)
                self.reap()
            else:
                arrived = self._serve()
        self._repeats.report()

    def _serve(self) -> bool:
        """Passes on one message; whether there was one."""
        try:
            self._pass_on()
        except BlockingIOError:
            return False
        except OSError as error:
            self._refused(f"messages to the service manager cannot be received: {error.strerror}", self._listen)
            return False
        return True

    def _refused(self, text: str, then: Callable[[], None]) -> None:
        # The socket would go on being readable: without a pause init would do nothing else.
        if not self._failing:
            self._log.warning(text)
        self._failing = True
        self._pause(then)

    def _listen(self) -> None:
        if self._loop and not self._watched:
            self._loop.watch(self._socket.fileno(), self._serve)
            self._watched = True

    def _ignore(self) -> None:
        """Read nothing until `_listen`: the senders will notice, as they would without a relay."""
        if self._loop and self._watched:
            self._loop.unwatch(self._socket.fileno())
            self._watched = False

    def _pause(self, then: Callable[[], None]) -> None:
        """Read nothing for a while, and call `then`."""
        self._ignore()
        self._then = then
        if self._loop:
            self._loop.after(PAUSE, self._go_on)

    def _go_on(self) -> None:
        then, self._then = self._then, None
        if then:
            then()

    def _pass_on(self) -> None:
        """Send the first message of the queue; raises OSError when there is none, or it cannot be received.

        It stays in the queue until `_remove`. There is no room for descriptors here: the kernel sets MSG_CTRUNC if the
        message has some, and init receives only those that it passes on.
        """
        data, ancillary, result, _ = self._socket.recvmsg(LONGEST, _socket.CMSG_SPACE(UCRED), _socket.MSG_PEEK)
        pid, user = protocol.sender(ancillary)
        message = protocol.without_processes(data)
        self._carries = bool(result & _socket.MSG_CTRUNC)
        if not self._believable(pid, user):
            self._repeats.warn(f"{MESSAGE} came from a stranger: dropped", f" (pid {pid})")
        elif result & _socket.MSG_TRUNC:
            self._repeats.warn(f"{MESSAGE} was too long: dropped")
        elif message:
            self._deliver(message, self._descriptors() if self._carries else [])
            return
        self._remove()

    def _descriptors(self) -> Ancillary | None:
        """Receive the descriptors of the first message, which is left in the queue; None if they are too many."""
        space = _socket.CMSG_SPACE(MOST_DESCRIPTORS * INT) + _socket.CMSG_SPACE(UCRED)
        _, ancillary, result, _ = self._socket.recvmsg(1, space, _socket.MSG_PEEK | _socket.MSG_CMSG_CLOEXEC)
        rights = [each for each in ancillary if each[1] == _socket.SCM_RIGHTS]
        if not result & _socket.MSG_CTRUNC:
            return rights
        protocol.close_descriptors(rights)
        return None

    def _deliver(self, message: bytes, rights: Ancillary | None) -> None:
        """Send a message with its descriptors, now or when the receiver has room again."""
        if rights is None:
            self._repeats.warn(f"{MESSAGE} had too many descriptors: dropped")
            self._remove()
            return
        try:
            self._socket.sendmsg([message], rights, _socket.MSG_NOSIGNAL, self._address)
        except BlockingIOError:
            self._pause(partial(self._deliver, message, rights))
            return
        except OSError as error:
            self._repeats.warn(f"{MESSAGE} was lost: {error.strerror}")
        # These are copies: the queue still has the descriptors.
        protocol.close_descriptors(rights)
        self._remove()

    def _remove(self) -> None:
        """Take the first message out of the queue.

        That may be the last close of its descriptors, which takes as long as their sender likes: a socket, or one in
        another socket's queue, may linger (socket(7)), and a large file in memory must be freed. So if there are
        descriptors, a helper does it, a child of init's.
        """
        try:
            if self._carries:
                self._helpers.add(self._start_helper())
                self._ignore()
                return
            self._socket.recvmsg(1)
        except OSError as error:
            self._removed(error.errno or errno.EIO)
        else:
            self._removed(0)

    def _start_helper(self) -> int:
        helper = os.fork()
        if helper == 0:
            result = errno.EIO
            try:
                _end_waits()
                self._socket.recvmsg(1)
                result = 0
            except OSError as error:
                result = error.errno or errno.EIO
            finally:
                os._exit(result)
        return helper

    def _removed(self, number: int) -> None:
        """Read the next message, or try again if `number` is an errno; it is negative if the helper was killed."""
        if number > 0:
            error = os.strerror(number)
            self._refused(f"{MESSAGE} cannot be taken from the queue: {error}; trying again", self._remove)
        else:
            self._failing = False
            self._listen()

    def _believable(self, pid: int, user: int) -> bool:
        """Whether a sender belongs here: an abstract socket can be reached from all of the network namespace.

        As PID 1, whoever has a pid in init's namespace; elsewhere root, init's own user, the payload's, and init's
        descendants.
        """
        if os.getpid() == 1 or pid == 0:
            return pid != 0
        if user in self._users:
            return True
        try:
            return any(each.pid == pid for each in processes.descendants(os.getpid()))
        except OSError:
            return False


def _end_waits() -> None:
    """Interrupt this process, a helper, every TICK seconds, so that it does not wait for a lingering socket."""
    # The pipe may be init's (signal_wait_fallback), and init would take the helper's signals for its own.
    signal.set_wakeup_fd(-1)
    try:
        signal.signal(signals.ALRM, _tick)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signals.ALRM})
        signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    except OSError:
        # A seccomp profile may forbid it. Then the helper waits, and the relay with it, but not init.
        pass


def _tick(_: int, __: FrameType | None) -> None:
    pass


def relay(address: bytes, user: int | None, helpers: set[int], log: Log) -> Relay | None:
    """A relay to the UNIX socket that NOTIFY_SOCKET named; `user` is the payload's, if it gets one of its own.

    `helpers` has the pid of the relay's own child, as long as there is one.
    """
    if address[:1] not in (b"/", b"@"):
        return None
    if len(address) > LONGEST_ADDRESS:
        log.warning(f"{VARIABLE.decode()} is not relayed: its address is longer than {LONGEST_ADDRESS} bytes")
        return None
    users = {0, os.geteuid()}
    if user is not None:
        users.add(user)
    try:
        return Relay(address, frozenset(users), helpers, log)
    except OSError as error:
        log.warning(f"{VARIABLE.decode()} is not relayed, but left to the payload as it is: {error.strerror}")
        return None
