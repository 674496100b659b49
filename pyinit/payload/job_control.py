"""Job control: init stops when its payload stops, so that the shell above gets its prompt back, and resumes with it.

Only if somebody could resume it: not as PID 1, and not in an orphaned group (setpgid(2), tty_ioctl(4)). If not, a
payload that has the terminal is continued as soon as it stops. A stopped payload is continued after a stop signal.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from pyinit import signals
from pyinit.options import Options
from pyinit.payload.terminal import Terminal
from pyinit.procfs.processes import Process
from pyinit.report.log import Log


class JobControl:
    """Stops and continues of payload and init.

    `stopped` is True while the payload is known to be stopped. `has_come` returns whether a signal has come but is not
    handled yet. `send` sends a signal as signals are forwarded, or to the payload's whole group at least.
    """

    __slots__ = (
        "_always_suspends",
        "_group_stopped",
        "_has_come",
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
        payload: int,
        terminal: Terminal,
        has_come: Callable[[int], bool],
        send: Callable[[int, bool], object],
        log: Log,
    ) -> None:
        self._payload = payload
        self._terminal = terminal
        self._has_come = has_come
        self._send = send
        self._always_suspends = options.always_suspends
        self._log = log
        self._on_purpose = False
        self._group_stopped = False
        self.stopped = False

    def follow(self, process: Process) -> None:
        """Look after this process from now on: it has taken the payload's place."""
        self._payload = process.pid
        # That it was stopped before has been reported already.
        self.stopped = process.state == "T"

    def changed(self, pid: int, status: int) -> None:
        """A child was stopped or continued; of interest if it is the payload."""
        if pid != self._payload:
            return
        self.stopped = os.WIFSTOPPED(status)
        if not self.stopped:
            # By whomever: the next stop is another one.
            self._on_purpose = False
            return
        number = os.WSTOPSIG(status)
        self._log.info(f"payload {pid} stopped by {signals.name(number)}", pid=pid)
        by_terminal = number in signals.JOB_CONTROL and not self._on_purpose
        if by_terminal:
            self._group_stopped = True
        if by_terminal and number != signals.TSTP and self._terminal.demand():
            # fg of a job that was running: the shell tells nobody, so the payload had to ask for the terminal. Or one
            # that another init has given to its own payload.
            self._continue()
        elif resumable():
            self._suspend(number, whole_group=by_terminal or self._terminal.lent)
        elif self._terminal.is_payloads and not self._on_purpose:
            # No shell could resume it by fg. This holds for STOP, too: on ^Z, top and nano restore the terminal and
            # send STOP to themselves. As PID 1 they would go on, because the kernel drops it there.
            self._log.info(f"payload {pid} continued: nobody could resume it", pid=pid)
            self._continue()

    def stop_signal_forwarded(self) -> None:
        """Continue the payload if it is stopped: only then does it handle the stop signal that was just sent."""
        # A CONT that has come but is not handled yet will be forwarded, after the payload has got the terminal.
        if (self.stopped or self._has_stopped()) and not self._has_come(signals.CONT):
            whole_group, self._group_stopped = self._group_stopped, False
            self._send(signals.CONT, whole_group)
            self.stopped = False

    def stop_received(self, forwarded: int, whole_group: bool) -> None:
        """Stop init itself, if a shell could resume it, after TSTP, TTIN or TTOU, which was sent on as `forwarded`."""
        if forwarded in signals.STOPS:
            self._on_purpose = True
            self._group_stopped = whole_group
        elif self._always_suspends:
            forwarded = signals.STOP
        else:
            return
        if resumable():
            self._suspend(forwarded, whole_group=False)

    def continued(self) -> bool:
        """CONT has come, and is about to be forwarded: after fg, but not bg, the payload gets the terminal.

        Whether it is for the payload's whole group, as all of that was stopped by the terminal: a shell's CONT goes to
        all of its job.
        """
        self._on_purpose = self.stopped = False
        self._terminal.lend()
        whole_group, self._group_stopped = self._group_stopped, False
        return whole_group

    def key(self, status: int) -> int:
        """The signal of the key, ^C or ^\\, that has killed the payload; 0 if it ended otherwise.

        The terminal sends it to the payload's group, and means it for all of the shell's job, which init's group is.
        An exit code of 130 does not say so: an interactive shell has it at its end if its last command was interrupted.
        """
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return number if number in signals.KEYS and self._terminal.lent_away else 0

    def _has_stopped(self) -> bool:
        """Return True if the payload is stopped but SIGCHLD was not handled yet: TERM (15) comes first."""
        try:
            return bool(os.waitid(os.P_PID, self._payload, os.WSTOPPED | os.WNOHANG | os.WNOWAIT))
        except OSError:
            return False

    def _continue(self) -> None:
        """Undoes a stop by the terminal, which was for the payload's whole group."""
        self._group_stopped = False
        try:
            group = os.getpgid(self._payload)
            if group == 0:
                # With -c, a group with members outside of the PID namespace: signal none of those.
                target = self._payload
            else:
                # With -c it is init's own group. If that is group 1, its negative would mean every process.
                target = 0 if group == os.getpgrp() else -group
            os.kill(target, signals.CONT)
        except OSError as error:
            self._log.debug(f"CONT came too late for {self._payload}: {error.strerror}")

    def _suspend(self, number: int, whole_group: bool) -> None:
        """Stops init until it is continued. The CONT that does so is then pending, and forwarded as any other.

        The others in init's group are stopped as the terminal would have done if the payload were one of them: a
        shell waits for all of a pipeline, and for the `sh` of `sh -c 'pyinit ...; true'`, before it has its prompt.
        """
        # A CONT that is already here would be discarded by the stop (signal(7)): it is the newer word.
        if self._has_come(signals.CONT):
            return
        if number not in signals.JOB_CONTROL:
            number = signals.TSTP if whole_group else signals.STOP
        if number == signals.STOP:
            self._stop_oneself(number, whole_group=False)
            return
        before = signal.signal(number, signal.SIG_DFL)
        self._stop_oneself(number, whole_group)
        # Here it stops, with the status that a program without an init would have had.
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
    """Whether a shell could continue init: its process group is not orphaned, and it is not PID 1.

    Looks upwards from init alone: the first ancestor in another group decides, by its session.
    """
    if os.getpid() == 1:
        return False
    group, session = os.getpgrp(), os.getsid(0)
    parent = os.getppid()
    seen = set()
    try:
        # A shell of its own group, as in `sh -c 'pyinit ...; true'`, is stopped by ^Z as well: look above it. A /proc
        # that is not the kernel's may have a process above itself.
        while parent and parent not in seen and os.getpgid(parent) == group:
            seen.add(parent)
            parent = Process(parent).parent
        return bool(parent) and os.getsid(parent) == session
    except OSError:
        return False
