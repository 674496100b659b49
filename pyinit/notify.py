"""The sd_notify relay: what the payload tells its service manager is passed on by init (sd_notify(3)).

systemd-nspawn listens to PID 1 alone, and systemd to a service's main process by default. The payload gets an
abstract socket of init's own, which needs no file system that both can see and write. What arrives there is passed
on and never acted upon.
"""

from __future__ import annotations

import _socket
import os
import time
from collections.abc import Callable

from pyinit import descriptors, messages, processes
from pyinit.log import Log
from pyinit.loop import Loop
from pyinit.messages import INT, UCRED, Ancillary

VARIABLE = b"NOTIFY_SOCKET"
# systemd's NOTIFY_BUFFER_MAX is PIPE_BUF: it refuses what is longer.
LONGEST = 4096
# The kernel's SCM_MAX_FD (unix(7)).
MOST_DESCRIPTORS = 253
# The receiver's queue is full: how often to try again, in seconds, and how long at the end.
PAUSE = 0.05
# Bytes in sockaddr_un's sun_path (unix(7)).
LONGEST_ADDRESS = 108
LAST_PATIENCE = 1.0


class Relay:
    """Passes datagrams on from a socket of its own to the one that NOTIFY_SOCKET named."""

    __slots__ = ("_address", "_failing", "_kept", "_log", "_loop", "_socket", "_stranger", "_users")

    def __init__(self, address: bytes, users: frozenset[int], log: Log) -> None:
        """`users` are those who are believed where init is not PID 1.

        Raises OSError where the kernel has no UNIX sockets or no descriptor left.
        """
        # unix(7): a leading NUL makes an abstract address, which the variable writes as @.
        self._address = b"\0" + address[1:] if address.startswith(b"@") else address
        self._users = users
        self._log = log
        self._loop: Loop | None = None
        self._failing = False
        self._stranger = False
        self._kept: tuple[bytes, Ancillary] | None = None
        flags = _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK
        fresh = _socket.socket(_socket.AF_UNIX, flags)
        self._socket = _socket.socket(fileno=descriptors.above_standard(fresh.detach()))
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
        descriptors.move(descriptor, first)
        self._socket = _socket.socket(fileno=first)
        return first + 1

    def begin(self, loop: Loop) -> bool:
        """From now on what arrives is passed on; False where that cannot be: then the senders get an error."""
        self._loop = loop
        try:
            self._listen()
        except OSError as error:
            self._log.warning(f"messages to the service manager will not be passed on: {error.strerror}")
            self._socket.close()
            return False
        return True

    def drain(self) -> None:
        """At the end: passes on what has arrived, for a second at the most.

        A receiver may be busy, and a sender may never tire.
        """
        self._loop = None
        end = time.monotonic() + LAST_PATIENCE
        arrived = True
        while arrived and time.monotonic() < end:
            if self._kept:
                time.sleep(PAUSE)
                self._try_again()
            else:
                arrived = self._serve()

    def _serve(self) -> bool:
        """Passes on one message; whether there was one."""
        try:
            self._pass_on()
        except BlockingIOError:
            return False
        except OSError as error:
            self._cannot_receive(error)
            return False
        self._failing = False
        return True

    def _cannot_receive(self, error: OSError) -> None:
        # The socket would go on being readable: without a pause init would do nothing else.
        if not self._failing:
            self._log.warning(f"messages to the service manager cannot be received: {error.strerror}")
        self._failing = True
        self._pause(self._listen)

    def _listen(self) -> None:
        if self._loop:
            self._loop.watch(self._socket.fileno(), self._serve)

    def _pass_on(self) -> None:
        """Receives one datagram and sends it; raises OSError when there is none, or it cannot be received."""
        space = _socket.CMSG_SPACE(MOST_DESCRIPTORS * INT) + _socket.CMSG_SPACE(UCRED)
        data, ancillary, result, _ = self._socket.recvmsg(LONGEST, space, _socket.MSG_CMSG_CLOEXEC)
        received, sender = messages.sorted_out(ancillary)
        message = messages.without_processes(data)
        if not self._believable(*sender):
            self._refuse(sender[0])
        elif result & (_socket.MSG_TRUNC | _socket.MSG_CTRUNC):
            self._log.warning("a message to the service manager was too long, or had too many descriptors: dropped")
        elif message:
            self._deliver(message, [each for each in ancillary if each[1] == _socket.SCM_RIGHTS])
            return
        messages.close(received, handed_on=False)

    def _refuse(self, pid: int) -> None:
        # Once: whoever shares the network namespace could fill the log otherwise.
        if not self._stranger:
            who = f"came from a stranger: dropped, as others will be (pid {pid})"
            self._log.warning(f"a message to the service manager {who}")
        self._stranger = True

    def _deliver(self, message: bytes, ancillary: Ancillary) -> None:
        """Sends a message, or keeps it for later, its descriptors too, if the receiver is busy."""
        try:
            self._socket.sendmsg([message], ancillary, _socket.MSG_NOSIGNAL, self._address)
            handed_on = True
        except BlockingIOError:
            # Nothing is read meanwhile: the senders will notice, as they would without a relay.
            self._kept = message, ancillary
            self._pause(self._try_again)
            return
        except OSError as error:
            self._log.warning(f"a message to the service manager was lost: {error.strerror}")
            handed_on = False
        messages.close(messages.sorted_out(ancillary)[0], handed_on)

    def _try_again(self) -> None:
        if self._kept:
            kept, self._kept = self._kept, None
            self._listen()
            self._deliver(*kept)

    def _pause(self, then: Callable[[], None]) -> None:
        """Reads nothing for a while."""
        if self._loop:
            self._loop.unwatch(self._socket.fileno())
            self._loop.after(PAUSE, then)

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


def relay(address: bytes, user: int | None, log: Log) -> Relay | None:
    """A relay to the UNIX socket that NOTIFY_SOCKET named; `user` is the payload's, if it gets one of its own."""
    if address[:1] not in (b"/", b"@"):
        return None
    if len(address) > LONGEST_ADDRESS:
        log.warning(f"{VARIABLE.decode()} is not relayed: its address is longer than {LONGEST_ADDRESS} bytes")
        return None
    users = {0, os.geteuid()}
    if user is not None:
        users.add(user)
    try:
        return Relay(address, frozenset(users), log)
    except OSError as error:
        log.warning(f"{VARIABLE.decode()} is not relayed, but left to the payload as it is: {error.strerror}")
        return None
