"""One run of init, from its start to its exit code: creates the parts, connects them, and leads signals through."""

from __future__ import annotations

import os

import prctl

from pyinit import exit_codes, fds, native, signals, user_database
from pyinit.event_loop import EventLoop
from pyinit.exit_codes import Failure, exit_code
from pyinit.follow import Follow
from pyinit.forward import Forwarder
from pyinit.leftovers import Leftovers
from pyinit.options import Options
from pyinit.pause import Pause
from pyinit.payload.job_control import JobControl
from pyinit.payload.payload import Payload
from pyinit.payload.spawn import Inherited, spawn
from pyinit.payload.terminal import Terminal
from pyinit.procfs.processes import Process
from pyinit.reaper import Exits, Reaper
from pyinit.report.exit_report import ExitReport
from pyinit.report.log import Log
from pyinit.rewrite import Rewriter
from pyinit.shutdown import Shutdown
from pyinit.stop_requests import StopRequests
from pyinit.stop_timers import StopTimers
from pyinit.user_database import Identity

# How many signals are kept while --follow looks for the process that takes the payload's place.
MAX_POSTPONED = 1000

# Instead of typing's: the frozen file has no typing.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.sd_notify.relay import Relay


def run(options: Options, inherited: Inherited) -> int:
    """Run the payload, or with -P none; return init's exit code, 0 to 255."""
    log = Log(options.verbose, options.json)
    _adopt_orphans(options, inherited.is_pid1, log)
    if options.death_signal:
        _set_death_signal(options.death_signal, log)
    payload = Payload(options.command[0] if options.command else "")
    try:
        code = _pause(options, log) if options.pause else _Supervisor(payload, options, inherited, log).run()
    except Failure as failure:
        killed = "; the payload was killed" if payload.kill() else ""
        log.error(failure.message + killed, code=failure.code)
        code = failure.code
    except BaseException:
        payload.kill()
        raise
    log.report_lost_lines()
    return options.remap.get(code, code)


def _adopt_orphans(options: Options, is_pid1: bool, log: Log) -> None:
    """Become a subreaper. If that is refused, an init that is not PID 1 gets no orphans, but still runs its payload."""
    wanted = options.subreaper
    if wanted is None:
        wanted = not is_pid1
    if not wanted:
        return
    try:
        prctl.set_child_subreaper(1)
    except OSError as error:
        log.warning(f"orphans will not be adopted: PR_SET_CHILD_SUBREAPER: {error.strerror}")


def _set_death_signal(number: int, log: Log) -> None:
    """Have the kernel send this signal to init when init's parent dies."""
    parent = os.getppid()
    try:
        prctl.set_pdeathsig(number)
    except OSError as error:
        log.warning(f"-p: the parent's death will not be noticed: PR_SET_PDEATHSIG: {error.strerror}")
        return
    if os.getppid() != parent:
        # It died before the kernel knew about the signal.
        os.kill(os.getpid(), number)


def _release_inherited(log: Log, *fd_owners: Terminal | Relay | None) -> None:
    """Change to / and close all descriptors but 0 to 2 and init's own: init must pin nothing (catatonit #12, #28)."""
    try:
        os.chdir("/")
    except OSError as error:
        log.debug(f"init stays in its directory: {error.strerror}")
    first = fds.FIRST
    for owner in fd_owners:
        if owner:
            first = owner.renumber_fd(first)
    native.close_range(first)


def _pause(options: Options, log: Log) -> int:
    pause = Pause(options, log)
    _release_inherited(log)
    return pause.run()


def _relay(user: Identity | None, helpers: set[int], log: Log) -> Relay | None:
    address = native.getenv(b"NOTIFY_SOCKET")
    if not address:
        return None
    # Most inits need none: not imported for them.
    from pyinit.sd_notify import relay

    return relay.relay(address, user.user if user else None, helpers, log)


class _Supervisor:
    """One payload, and what init does for it."""

    __slots__ = (
        "_exit_report",
        "_follow",
        "_forwarder",
        "_helpers",
        "_is_pid1",
        "_jobs",
        "_log",
        "_loop",
        "_must_ask_group",
        "_options",
        "_payload",
        "_postponed",
        "_reaper",
        "_relay",
        "_requests",
        "_rewriter",
        "_shutdown",
        "_stop_timers",
        "_terminal",
    )

    # Start: the payload first, because it is what the user waits for; then everything that looks after it.

    def __init__(self, payload: Payload, options: Options, inherited: Inherited, log: Log) -> None:
        self._options = options
        self._is_pid1 = inherited.is_pid1
        self._log = log
        self._payload = payload
        self._terminal = Terminal(payload)
        user = user_database.lookup(options.user, log) if options.user else None
        if user and self._terminal.can_be_given_up and not options.same_group:
            # In init's session another user's payload could send init CONT, and other signals by way of the terminal.
            options.session = True
        # Children that do init's own work: they are no orphans, and the payload did not leave them.
        self._helpers: set[int] = set()
        self._relay = _relay(user, self._helpers, log)
        self._follow = self._follower()
        spawn(payload, options, inherited, self._terminal, user, [self._relay.assign()] if self._relay else [])

        self._rewriter = Rewriter(options, log)
        self._forwarder = Forwarder(options, payload, user.user if user else None, log)
        self._requests = StopRequests(options.stop_signals)
        self._exit_report = ExitReport(options, log)
        # dumb-init sends TERM to the payload's group when the payload has exited. A daemon that is followed would be in
        # that group.
        self._must_ask_group = options.term_at_end and not self._is_pid1 and not self._follow
        before_reap = self._before_reap if self._exit_report.wants_names or self._must_ask_group else None
        exits = Exits.ALL if before_reap else Exits.PAYLOAD
        self._reaper = Reaper(payload, exits, self._on_exit, self._on_change, before_reap)
        self._loop = EventLoop(self._reaper, self._reap, self._handle, self._requests.stop_signals)
        self._jobs = JobControl(options, payload, self._terminal, self._loop.is_pending, self._forwarder.send, log)
        self._stop_timers = StopTimers(options, self._loop, self._forward_stop, self._forwarder.send_kill, log)
        self._shutdown: Shutdown | None = None
        self._postponed: list[int] = []

        _release_inherited(log, self._terminal, self._relay)
        if self._relay and not self._relay.begin(self._loop):
            self._relay = None
        self._loop.call_when_idle(self._exit_report.start_oom_watch)
        if log.verbose:
            log.info(f"payload {payload.pid} started: {payload.program}", pid=payload.pid)

    def _follower(self) -> Follow | None:
        path = self._options.follow
        return None if path is None else Follow(path, self._helpers, self._replace_payload, self._nothing_to_follow)

    # Loop: from now on nothing may end init but its own decision.

    def run(self) -> int:
        """Look after the payload; return the exit code, 0 to 255."""
        code = self._loop.run()
        if self._relay:
            self._relay.drain()
        return code

    def _handle(self, received: int, code: int, sender: int) -> None:
        """Lead one signal through rewriting, the stop timers and forwarding."""
        # Every call on this way can be measured (benchmarks/measures/forward.py).
        number = self._rewriter.rewrite(received, code, sender)
        if not number:
            pass
        elif self._shutdown:
            self._shutdown.handle(received, number)
        elif self._requests.is_stop(received, number):
            self._requests.record(received, number)
            if self._follow and self._follow.is_looking:
                # The payload had exited before the signal came: it is for the processes that are left.
                self._follow.cancel()
                self._shut_down(0, leave_nothing=True).look()
            elif not self._requests.has_timers(received, number) or self._stop_timers.passes(number):
                self._forward_stop(number)
        elif self._follow and self._follow.is_looking:
            self._postpone(number)
        else:
            whole_group = number in self._rewriter.for_group
            if number == signals.CONT:
                whole_group |= self._jobs.cont_received()
            self._forwarder.send(number, whole_group)
        if received in signals.JOB_CONTROL:
            self._jobs.suspend_received(number, number in self._rewriter.for_group)

    def _forward_stop(self, number: int) -> None:
        self._requests.recipients = self._forwarder.send_stop(number, number in self._rewriter.for_group)
        self._jobs.stop_signal_forwarded()

    def _postpone(self, number: int) -> None:
        if len(self._postponed) < MAX_POSTPONED:
            self._postponed.append(number)
        else:
            self._log.warning(f"--follow: {signals.name(number)} dropped: too many signals are waiting for the daemon")

    def _reap(self) -> bool:
        if self._helpers and self._relay:
            self._relay.reap()
        more = self._reaper.collect()
        if self._shutdown:
            self._shutdown.batch_reaped(more)
        elif self._follow:
            self._follow.look()
        return more

    def _on_change(self, pid: int, status: int) -> None:
        self._jobs.child_changed(pid, status)

    def _before_reap(self, pid: int) -> None:
        if self._exit_report.wants_names:
            self._exit_report.before_reap(pid)
        if pid == self._payload.pid and self._must_ask_group:
            # While the payload is a zombie, no other group can have its number.
            self._forwarder.kill(-pid, signals.TERM)
            self._must_ask_group = False

    def _on_exit(self, pid: int, status: int) -> None:
        if pid in self._helpers:
            return
        if pid == self._payload.pid:
            self._payload_exited(pid, status)
            return
        self._exit_report.orphan_exited(pid, status)
        if self._shutdown:
            self._shutdown.child_exited(pid)

    # End: the payload has exited.

    def _payload_exited(self, pid: int, status: int) -> None:
        self._exit_report.payload_exited(pid, self._payload.program, status, self._stop_timers.killed)
        self._payload.reaped()
        key = 0 if self._requests.any_received or self._is_pid1 else self._jobs.fatal_key(status)
        self._terminal.take_foreground_back()
        if key:
            self._rewriter.ignore_from_init(key)
            self._forwarder.resend_to_own_group(key)
        self._stop_timers.payload_exited()
        if self._follow and not status and not self._requests.any_received:
            self._look_for_daemon(self._follow)
            return
        if self._must_ask_group:
            self._log.warning("the payload's group gets no TERM, its number may be another's: waitid(2) is refused")
        self._shut_down(exit_code(status))

    def _shut_down(self, code: int, leave_nothing: bool = False) -> Shutdown:
        """Begin the shutdown. It looks for processes that are left once children have been reaped, or when told to."""
        leftovers = Leftovers(self._is_pid1, self._helpers, self._loop, self._leftover_exited, self._log)
        self._shutdown = Shutdown(self._options, leftovers, self._loop, self._reaper, self._requests, self._log)
        # A process that is followed is the payload: when it has exited, -W has nothing more to wait for.
        wait = self._options.wait and not (self._follow and self._follow.has_begun)
        self._shutdown.begin(code, wait, leave_nothing, self._is_pid1)
        return self._shutdown

    def _leftover_exited(self) -> None:
        if self._shutdown:
            self._shutdown.look()

    # --follow: another process takes the payload's place.

    def _look_for_daemon(self, follow: Follow) -> None:
        """Look for the successor of a payload that has exited with 0, or of a daemon that was followed."""
        if not follow.has_begun:
            self._log.info(f"--follow: looking for {follow.what}")
            follow.begin(self._loop)
            return
        try:
            successor = follow.successor()
        except OSError:
            successor = None
        if successor:
            self._replace_payload(successor)
        else:
            self._shut_down(0)

    def _replace_payload(self, process: Process) -> None:
        """Make this process, which the payload has left, the new payload."""
        self._log.info(f"following {process}", pid=process.pid)
        self._payload.replaced_by(process)
        self._forwarder.payload_replaced()
        self._jobs.payload_replaced(process)
        postponed, self._postponed = self._postponed, []
        for number in postponed:
            self._forwarder.send(number)

    def _nothing_to_follow(self, reason: str) -> None:
        self._log.error(f"--follow: {reason}", code=exit_codes.INTERNAL)
        self._shut_down(exit_codes.INTERNAL, leave_nothing=True).look()
