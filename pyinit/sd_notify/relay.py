"""The sd_notify relay: init forwards the payload's messages to its service manager (sd_notify(3)).

systemd-nspawn accepts messages from PID 1 only, and systemd by default from a service's main process only. The payload
gets an abstract socket of init's, which needs no file system that both can access. Messages are relayed, and never
acted upon.
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
from pyinit.sd_notify.repeated_warnings import RepeatedWarnings

VARIABLE = b"NOTIFY_SOCKET"
MESSAGE = "a message to the service manager"
# systemd's NOTIFY_BUFFER_MAX is PIPE_BUF: it refuses longer messages.
LONGEST = 4096
# The kernel's SCM_MAX_FD (unix(7)).
MOST_DESCRIPTORS = 253
# Seconds until init tries again, if the receiver's queue is full or a call has failed.
RETRY_SECONDS = 0.05
# Bytes in sockaddr_un's sun_path (unix(7)).
LONGEST_ADDRESS = 108
# Seconds that `drain` takes at the most, and between two of its checks if the helper has exited.
DRAIN_SECONDS = 1.0
DRAIN_POLL_SECONDS = 0.002
# Seconds between two signals that interrupt the helper's waits.
INTERRUPT_SECONDS = 0.05


class Relay:
    """Relays datagrams from a socket of its own to the one that NOTIFY_SOCKET named."""

    __slots__ = (
        "_address",
        "_has_descriptors",
        "_helpers",
        "_log",
        "_loop",
        "_retry",
        "_socket",
        "_users",
        "_warnings",
        "_watched",
    )

    def __init__(self, address: bytes, users: frozenset[int], helpers: set[int], log: Log) -> None:
        """Create the socket. Raises OSError if the kernel has no UNIX sockets, or init no free descriptor.

        `users` are trusted senders if init is not PID 1. The pid of the relay's helper is added to `helpers`.
        """
        # unix(7): an abstract address starts with a NUL, which the variable writes as @.
        self._address = b"\0" + address[1:] if address.startswith(b"@") else address
        self._users = users
        self._helpers = helpers
        self._log = log
        self._warnings = RepeatedWarnings(log)
        self._loop: EventLoop | None = None
        self._watched = False
        # True if the first message of the queue has descriptors.
        self._has_descriptors = False
        # What to retry after a pause.
        self._retry: Callable[[], None] | None = None
        flags = _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK
        created = _socket.socket(_socket.AF_UNIX, flags)
        self._socket = _socket.socket(fileno=fds.dup_above_stderr(created.detach()))
        self._socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_PASSCRED, 1)
        # With an empty address, the kernel assigns a free abstract one.
        self._socket.bind(b"")

    def assign(self) -> bytes:
        """Return the variable for the payload's environment: NAME=VALUE."""
        name: bytes = self._socket.getsockname()
        return VARIABLE + b"=@" + name[1:]

    def renumber_fd(self, first: int) -> int:
        """Move the socket to descriptor `first`; return the first descriptor that is not in use."""
        descriptor = self._socket.detach()
        fds.renumber(descriptor, first)
        self._socket = _socket.socket(fileno=first)
        return first + 1

    def begin(self, loop: EventLoop) -> bool:
        """Start relaying. Return False, after which senders get an error, if that is not possible."""
        self._loop = loop
        self._warnings.begin(loop)
        try:
            self._listen()
        except OSError as error:
            self._log.warning(f"messages to the service manager will not be relayed: {error.strerror}")
            self._socket.close()
            return False
        return True

    def reap(self) -> None:
        """Reap the relay's helper if it has exited: it has removed a message, and the next one can be read.

        Call this when a child of init may have exited, before other children are reaped.
        """
        for helper in tuple(self._helpers):
            try:
                ended, status = os.waitpid(helper, os.WNOHANG)
            except ChildProcessError:
                # It exited after the last check, and was reaped together with other children.
                ended, status = helper, 0
            except OSError:
                self._retry_later(self.reap)
                return
            if ended:
                self._helpers.remove(helper)
                self._removed(os.waitstatus_to_exitcode(status))

    def drain(self) -> None:
        """Relay the messages in the queue, for DRAIN_SECONDS at the most, before init exits.

        The limit is for a busy receiver, and for a sender that never stops.
        """
        self._loop = None
        end = time.monotonic() + DRAIN_SECONDS
        received = True
        while received and time.monotonic() < end:
            if self._retry:
                time.sleep(RETRY_SECONDS)
                self._run_retry()
            elif self._helpers:
                time.sleep(DRAIN_POLL_SECONDS)
                self.reap()
            else:
                received = self._serve()
        self._warnings.report()

    def _serve(self) -> bool:
        """Relay one message; return False if there was none."""
        try:
            self._relay_first()
        except BlockingIOError:
            return False
        except OSError as error:
            self._warnings.warn("messages to the service manager cannot be received", f": {error.strerror}")
            self._retry_later(self._listen)
            return False
        return True

    def _listen(self) -> None:
        if self._loop and not self._watched:
            self._loop.watch(self._socket.fileno(), self._serve)
            self._watched = True

    def _ignore(self) -> None:
        """Read nothing until `_listen`. Senders block when the queue is full, as they would without a relay."""
        if self._loop and self._watched:
            self._loop.unwatch(self._socket.fileno())
            self._watched = False

    def _retry_later(self, retry: Callable[[], None]) -> None:
        """Read nothing for RETRY_SECONDS, then call `retry`."""
        self._ignore()
        self._retry = retry
        if self._loop:
            self._loop.after(RETRY_SECONDS, self._run_retry)

    def _run_retry(self) -> None:
        retry, self._retry = self._retry, None
        if retry:
            retry()

    def _relay_first(self) -> None:
        """Send the first message of the queue. Raises OSError if there is none, or if it cannot be received.

        It stays in the queue until `_remove`. The buffer has no space for descriptors: MSG_CTRUNC shows that the
        message has some, and init does not receive those of a message that it drops.
        """
        data, ancillary, result, _ = self._socket.recvmsg(LONGEST, _socket.CMSG_SPACE(UCRED), _socket.MSG_PEEK)
        pid, user = protocol.sender(ancillary)
        message = protocol.without_processes(data)
        self._has_descriptors = bool(result & _socket.MSG_CTRUNC)
        if not self._is_trusted(pid, user):
            self._warnings.warn(f"{MESSAGE} came from a stranger: dropped", f" (pid {pid})")
        elif result & _socket.MSG_TRUNC:
            self._warnings.warn(f"{MESSAGE} was too long: dropped")
        elif message:
            self._deliver(message, self._descriptors() if self._has_descriptors else [])
            return
        self._remove()

    def _descriptors(self) -> Ancillary | None:
        """Return the descriptors of the first message, which stays in the queue; None if there are too many."""
        space = _socket.CMSG_SPACE(MOST_DESCRIPTORS * INT) + _socket.CMSG_SPACE(UCRED)
        _, ancillary, result, _ = self._socket.recvmsg(1, space, _socket.MSG_PEEK | _socket.MSG_CMSG_CLOEXEC)
        rights = [item for item in ancillary if item[1] == _socket.SCM_RIGHTS]
        if not result & _socket.MSG_CTRUNC:
            return rights
        protocol.close_descriptors(rights)
        return None

    def _deliver(self, message: bytes, rights: Ancillary | None) -> None:
        """Send a message with its descriptors, now or when the receiver is no longer busy."""
        if rights is None:
            self._warnings.warn(f"{MESSAGE} had too many descriptors: dropped")
            self._remove()
            return
        try:
            self._socket.sendmsg([message], rights, _socket.MSG_NOSIGNAL, self._address)
        except BlockingIOError:
            self._retry_later(partial(self._deliver, message, rights))
            return
        except OSError as error:
            self._warnings.warn(f"{MESSAGE} was lost: {error.strerror}")
        # These are copies: the queue still has the descriptors.
        protocol.close_descriptors(rights)
        self._remove()

    def _remove(self) -> None:
        """Remove the first message from the queue.

        That may be the last close of its descriptors, and the sender decides how long that takes: a socket, or one in
        another socket's queue, may linger (socket(7)), and a large file in memory must be freed. So if there are
        descriptors, a child of init, the helper, removes it.
        """
        try:
            if self._has_descriptors:
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
                _interrupt_waits()
                self._socket.recvmsg(1)
                result = 0
            except OSError as error:
                result = error.errno or errno.EIO
            finally:
                os._exit(result)
        return helper

    def _removed(self, number: int) -> None:
        """Read the next message, or retry if `number` is an errno; it is negative if the helper was killed."""
        if number > 0:
            self._warnings.warn(f"{MESSAGE} cannot be taken from the queue", f": {os.strerror(number)}; trying again")
            self._retry_later(self._remove)
        else:
            self._listen()

    def _is_trusted(self, pid: int, user: int) -> bool:
        """Return True if a sender belongs to this container. The whole network namespace can reach an abstract socket.

        If init is PID 1, these are the processes in its PID namespace. Otherwise they are those of root, of init's own
        user and of the payload's, and init's descendants.
        """
        if os.getpid() == 1 or pid == 0:
            return pid != 0
        if user in self._users:
            return True
        try:
            return any(process.pid == pid for process in processes.descendants(os.getpid()))
        except OSError:
            return False


def _interrupt_waits() -> None:
    """Interrupt this process, a helper, every INTERRUPT_SECONDS, so that it does not wait for a lingering socket."""
    # With signal_wait_fallback, the helper shares the wakeup pipe with init, which would take the signal for its own.
    signal.set_wakeup_fd(-1)
    try:
        signal.signal(signals.ALRM, _do_nothing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signals.ALRM})
        signal.setitimer(signal.ITIMER_REAL, INTERRUPT_SECONDS, INTERRUPT_SECONDS)
    except OSError:
        # A seccomp profile may forbid it. Then the helper waits, and the relay with it, but init does not.
        pass


def _do_nothing(_: int, __: FrameType | None) -> None:
    pass


def relay(address: bytes, user: int | None, helpers: set[int], log: Log) -> Relay | None:
    """Return a relay to the UNIX socket at `address`, the value of NOTIFY_SOCKET; None if it cannot be relayed.

    `user` is the payload's user id if -u is given. While the relay's helper runs, `helpers` contains its pid.
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
        log.warning(f"{VARIABLE.decode()} is not relayed, but left to the payload unchanged: {error.strerror}")
        return None
