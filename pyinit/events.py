"""The wait itself: the next signal, until a deadline, or a descriptor that has something to read.

`SignalWait` is for an init that has only signals to wait for, which is most: sigwaitinfo(2), no timer, no polling.
`DescriptorWait` watches descriptors too, with signal.set_wakeup_fd and poll(2). Not signalfd(2): CPython 3.11 has none.
That has its price: a byte in a pipe is a signal's number and nothing else, so neither si_code nor sender is known.
Forwarder then cannot see that the terminal has sent a signal to the payload too: with -c that comes twice.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
from collections.abc import Callable
from types import FrameType

from pyinit import descriptors, native, signals

# poll(2) takes milliseconds; a deadline must not be met early.
MILLISECONDS = 1000.0
# Bytes: what anybody may have (/proc/sys/fs/pipe-max-size). Memory is used only for what is there.
QUEUE = 1 << 20

# A signal's number, its si_code, and its sender's pid, -1 where that is not known (sigaction(2)).
Received = tuple[int, int, int]
NOBODY = -1


class SignalWait:
    """Waits for signals alone. All of them are blocked, so each stays pending until it is taken here."""

    __slots__ = ()

    # The methods are native's functions themselves: a frame of Python's for each signal would be felt.
    wait = staticmethod(native.wait_signal)
    rest = staticmethod(native.wait_and_reap)

    def holds(self, number: int) -> bool:
        """Whether a signal has come and was not handed out yet."""
        return number in signal.sigpending()


class DescriptorWait:
    """Waits for signals and for descriptors that can be read.

    The mask is opened only around poll. Handlers do nothing but note the number: the bytes that CPython's own handler
    writes to the pipe are the truth, one for each signal, in order. The pipe holds a million of them (a socket pair
    only 278); should it overflow, the notes still say which signals came.
    """

    __slots__ = ("_noted", "_poll", "_queue", "_reader", "_watched")

    def __init__(self) -> None:
        pipe = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._reader, writer = (descriptors.above_standard(each) for each in pipe)
        self._queue = bytearray()
        self._noted: set[int] = set()
        self._watched: dict[int, Callable[[], object]] = {}
        self._poll = select.poll()
        self._poll.register(self._reader, select.POLLIN)
        _enlarge(writer)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in signals.ALL - {signals.KILL, signals.STOP}:
            signal.signal(number, self._note)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._noted.add(number)

    def watch(self, descriptor: int, callback: Callable[[], object]) -> None:
        """From now on `callback` is called when the descriptor can be read."""
        self._watched[descriptor] = callback
        self._poll.register(descriptor, select.POLLIN)

    def unwatch(self, descriptor: int) -> None:
        """The descriptor is watched no more; it is the caller's to close."""
        del self._watched[descriptor]
        self._poll.unregister(descriptor)

    def wait(self, chld: bool, seconds: float | None) -> Received | None:
        """The next signal, SIGCHLD only with `chld`; None after so many seconds, or when a descriptor was served."""
        received = self._taken(chld)
        if received is None:
            self._listen(seconds)
            received = self._taken(chld)
        return received

    def rest(self, _how: int, _payload: int) -> Received | None:
        """The next signal, whenever it comes; None when a descriptor was served."""
        return self.wait(True, None)

    def holds(self, number: int) -> bool:
        """Whether a signal has come and was not handed out yet."""
        return number in self._queue or number in signal.sigpending()

    def _listen(self, seconds: float | None) -> None:
        milliseconds = None if seconds is None else int(seconds * MILLISECONDS + 0.999)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals.ALL)
        try:
            ready = self._poll.poll(milliseconds)
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, signals.ALL)
        self._drain()
        for descriptor, _ in ready:
            # A callback may have stopped the watch of one that was ready too.
            callback = self._watched.get(descriptor)
            if callback:
                callback()

    def _drain(self) -> None:
        arrived = bytearray()
        try:
            while part := os.read(self._reader, 65536):
                arrived += part
        except BlockingIOError:
            pass
        self._noted.difference_update(arrived)
        self._queue += arrived
        self._queue += bytes(sorted(self._noted))
        self._noted.clear()

    def _taken(self, chld: bool) -> Received | None:
        for place, number in enumerate(self._queue):
            if chld or number != signals.CHLD:
                del self._queue[place]
                return number, 0, NOBODY
        return None


def _enlarge(pipe: int) -> None:
    """Makes room for all that may be queued (RLIMIT_SIGPENDING): when an init that was stopped goes on, all arrive."""
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, QUEUE)
    except OSError:
        # As it is, it holds 65,536: the system allows no more, or too much is in use by the same user (pipe(7)).
        pass
