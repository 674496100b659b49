"""Job control: init stops when its payload stops, so that the shell above gets its prompt back, and resumes with it.

Only if something could resume it: not as PID 1, and not in an orphaned group (setpgid(2), tty_ioctl(4)). Otherwise a
payload that has the terminal is continued as soon as it stops. A stop signal for a stopped payload is followed by CONT.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from pyinit import signals
from pyinit.options import Options
from pyinit.payload.payload import Payload
from pyinit.payload.terminal import Terminal
from pyinit.procfs.processes import Process
from pyinit.report.log import Log


class JobControl:
    """Stops and continues payload and init.

    `is_pending` tells whether a signal has arrived that was not handled yet. `send` forwards a signal as usual, or to
    the payload's whole group at least. `stopped` is True while the payload is known to be stopped.
    """

    __slots__ = (
        "_always_suspends",
        "_group_stopped",
        "_is_pending",
        "_log",
        "_on_purpose",
        "_payload",
        "_send",
        "_terminal",
        "stopped",
    )

    def __init__(
        self,
        options: Options,
        payload: Payload,
        terminal: Terminal,
        is_pending: Callable[[int], bool],
        send: Callable[[int, bool], object],
        log: Log,
    ) -> None:
        self._payload = payload
        self._terminal = terminal
        self._is_pending = is_pending
        self._send = send
        self._always_suspends = options.always_suspends
        self._log = log
        # The latest stop was asked for by a signal that was sent to init, and not by the terminal.
        self._on_purpose = False
        # The terminal has stopped the payload's whole group, so CONT is for all of it.
        self._group_stopped = False
        self.stopped = False

    def payload_replaced(self, process: Process) -> None:
        """Look after this process from now on: it has taken the payload's place."""
        # That it was stopped before has been reported already.
        self.stopped = process.state == "T"

    def child_changed(self, pid: int, status: int) -> None:
        """Handle the stop or the continuation of a child, if that is the payload; `status` is its wait status."""
        if pid != self._payload.pid:
            return
        self.stopped = os.WIFSTOPPED(status)
        if not self.stopped:
            # Whatever continued it, the next stop is another one.
            self._on_purpose = False
            return
        number = os.WSTOPSIG(status)
        self._log.info(f"payload {pid} stopped by {signals.name(number)}", pid=pid)
        by_terminal = number in signals.JOB_CONTROL and not self._on_purpose
        if by_terminal:
            self._group_stopped = True
        if by_terminal and number != signals.TSTP and self._terminal.claim_foreground():
            # After fg of a job that was running: the shell does not tell init, so the payload had to ask for the
            # terminal itself. Or another init of this job had given it to its own payload.
            self._continue()
        elif resumable():
            self._suspend(number, whole_group=by_terminal or self._terminal.payload_has_foreground)
        elif self._terminal.keys_reach_payload and not self._on_purpose:
            # No shell could resume it by fg. This holds for STOP, too: on ^Z, top and nano restore the terminal and
            # send STOP to themselves. As PID 1 they would go on, because the kernel drops it there.
            self._log.info(f"payload {pid} continued: no shell could resume it", pid=pid)
            self._continue()

    def stop_signal_forwarded(self) -> None:
        """Continue the payload if it is stopped: only then does it handle the stop signal that was just sent."""
        # A CONT that is pending will be forwarded anyway, after the payload has got the terminal.
        if (self.stopped or self._has_stopped()) and not self._is_pending(signals.CONT):
            whole_group, self._group_stopped = self._group_stopped, False
            self._send(signals.CONT, whole_group)
            self.stopped = False

    def suspend_received(self, forwarded: int, whole_group: bool) -> None:
        """Stop init itself, if a shell could resume it, after TSTP, TTIN or TTOU.

        `forwarded` is what the signal became; `whole_group` is True if the payload's whole group got that.
        """
        if forwarded in signals.SUSPENDING:
            self._on_purpose = True
            self._group_stopped = whole_group
        elif self._always_suspends:
            forwarded = signals.STOP
        else:
            return
        if resumable():
            self._suspend(forwarded, whole_group=False)

    def cont_received(self) -> bool:
        """Give the terminal to the payload after fg, but not after bg: CONT is about to be forwarded.

        Return True if that is for the payload's whole group, because the terminal has stopped all of it: a shell sends
        CONT to its whole job.
        """
        self._on_purpose = self.stopped = False
        self._terminal.give_foreground()
        whole_group, self._group_stopped = self._group_stopped, False
        return whole_group

    def fatal_key(self, status: int) -> int:
        """Return the signal of ^C or ^\\ if that key has killed the payload, otherwise 0; `status` is its wait status.

        The terminal sends the signal to the payload's group alone, but means all of the shell's job, which is init's
        group. An exit code of 130 is no sign of it: an interactive shell exits with that if its last command was
        interrupted.
        """
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return number if number in signals.FATAL_KEYS and self._terminal.foreground_excludes_init else 0

    def _has_stopped(self) -> bool:
        """Return True if the payload is stopped but SIGCHLD was not handled yet: TERM (15) comes first."""
        try:
            return bool(os.waitid(os.P_PID, self._payload.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT))
        except OSError:
            return False

    def _continue(self) -> None:
        """Undo a stop by the terminal, which has stopped the payload's whole group."""
        self._group_stopped = False
        try:
            group = self._payload.current_group()
            if group == 0:
                # With -c, a group with members outside of the PID namespace: signal none of those.
                target = self._payload.pid
            else:
                # With -c it is init's own group. If that is group 1, its negative would mean every process.
                target = 0 if group == os.getpgrp() else -group
            os.kill(target, signals.CONT)
        except OSError as error:
            self._log.debug(f"CONT came too late for {self._payload.pid}: {error.strerror}")

    def _suspend(self, number: int, whole_group: bool) -> None:
        """Stop init until it is continued. The CONT that does so is then pending, and is forwarded like any other.

        With `whole_group` the others in init's group are stopped too, as if the terminal had done it: a shell waits for
        all of a pipeline, and for the `sh` of `sh -c 'pyinit ...; true'`, before it prints its prompt.
        """
        # The stop would discard a CONT that is pending (signal(7)), but that was sent later, so it wins.
        if self._is_pending(signals.CONT):
            return
        if number not in signals.JOB_CONTROL:
            number = signals.TSTP if whole_group else signals.STOP
        if number == signals.STOP:
            self._stop_oneself(number, whole_group=False)
            return
        before = signal.signal(number, signal.SIG_DFL)
        self._stop_oneself(number, whole_group)
        # Init stops here, with the wait status that a program without an init would have had.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
        if callable(before):
            signal.signal(number, before)

    def _stop_oneself(self, number: int, whole_group: bool) -> None:
        try:
            os.kill(0 if whole_group else os.getpid(), number)
        except OSError as error:
            # A seccomp profile may forbid it.
            self._log.debug(f"init cannot stop itself: {error.strerror}")


def resumable() -> bool:
    """Return True if a shell could continue init: its process group is not orphaned, and it is not PID 1.

    Only init's ancestors are looked at: the first one in another group decides, by its session.
    """
    if os.getpid() == 1:
        return False
    group, session = os.getpgrp(), os.getsid(0)
    parent = os.getppid()
    seen = set()
    try:
        # A shell in init's own group, as in `sh -c 'pyinit ...; true'`, is stopped by ^Z as well: look above it. A
        # /proc that is not the kernel's may show a process as its own ancestor.
        while parent and parent not in seen and os.getpgid(parent) == group:
            seen.add(parent)
            parent = Process(parent).parent
        return bool(parent) and os.getsid(parent) == session
    except OSError:
        return False
