"""One run of init, from its start to its exit code: the rooms are put together here."""

from __future__ import annotations

import os

import prctl

from pyinit import exit_codes, fds, native, signals, user_database
from pyinit.event_loop import Loop
from pyinit.exit_codes import Failure, exit_code
from pyinit.follow import Follow
from pyinit.forward import Forwarder
from pyinit.guard import Guard
from pyinit.leftovers import Leftovers
from pyinit.options import Options
from pyinit.pause import Pause
from pyinit.payload import terminal
from pyinit.payload.job_control import JobControl
from pyinit.payload.spawn import Inherited, spawn
from pyinit.payload.terminal import Terminal
from pyinit.procfs.processes import Process
from pyinit.reaper import Reaper
from pyinit.report.exit_report import Deaths
from pyinit.report.log import Log
from pyinit.shutdown import Shutdown
from pyinit.stop_requests import StopRequests
from pyinit.stop_timers import Stops
from pyinit.user_database import Identity

# How many signals are kept while --follow looks for the process that takes the payload's place.
MOST_POSTPONED = 1000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.sd_notify.relay import Relay


def run(options: Options, inherited: Inherited) -> int:
    """Starts the payload and stays until the exit code, 0 to 255, is known."""
    log = Log(options.verbose, options.json)
    first = os.getpid() == 1
    _adopt_orphans(options, first, log)
    if options.death_signal:
        _follow_parent(options.death_signal, log)
    guard = Guard()
    try:
        code = _pause(options, log) if options.pause else _Run(options, inherited, first, log, guard).run()
    except Failure as failure:
        killed = "; the payload was killed" if guard.give_up() else ""
        log.error(failure.message + killed, code=failure.code)
        code = failure.code
    except BaseException:
        guard.give_up()
        raise
    log.settle()
    return options.remap.get(code, code)


def _adopt_orphans(options: Options, first: bool, log: Log) -> None:
    """Without it, orphans go past an init that is not PID 1, but the payload is served all the same."""
    wanted = options.subreaper
    if wanted is None:
        wanted = not first
    if not wanted:
        return
    try:
        prctl.set_child_subreaper(1)
    except OSError as error:
        log.warning(f"orphans will not be adopted: PR_SET_CHILD_SUBREAPER: {error.strerror}")


def _follow_parent(number: int, log: Log) -> None:
    parent = os.getppid()
    try:
        prctl.set_pdeathsig(number)
    except OSError as error:
        log.warning(f"-p: the parent's death will not be noticed: PR_SET_PDEATHSIG: {error.strerror}")
        return
    if os.getppid() != parent:
        # It died before the kernel knew what was wanted.
        os.kill(os.getpid(), number)


def _pin_nothing(log: Log, *keepers: Terminal | Relay | None) -> None:
    """From now on init's directory is / and its descriptors are 0-2 and its own (catatonit #12, #28)."""
    try:
        os.chdir("/")
    except OSError as error:
        log.debug(f"init stays in its directory: {error.strerror}")
    first = fds.FIRST
    for keeper in keepers:
        if keeper:
            first = keeper.keep(first)
    native.close_range(first)


def _pause(options: Options, log: Log) -> int:
    pause = Pause(options, log)
    _pin_nothing(log)
    return pause.run()


def _relay(user: Identity | None, helpers: set[int], log: Log) -> Relay | None:
    address = native.getenv(b"NOTIFY_SOCKET")
    if not address:
        return None
    from pyinit.sd_notify import relay

    return relay.relay(address, user.user if user else None, helpers, log)


class _Run:
    """A payload's life."""

    __slots__ = (
        "_deaths",
        "_first",
        "_follow",
        "_forwarder",
        "_guard",
        "_helpers",
        "_jobs",
        "_log",
        "_loop",
        "_must_ask_group",
        "_options",
        "_payload",
        "_postponed",
        "_program",
        "_reaper",
        "_relay",
        "_requests",
        "_shutdown",
        "_stops",
        "_terminal",
    )

    def __init__(self, options: Options, inherited: Inherited, first: bool, log: Log, guard: Guard) -> None:
        self._options = options
        self._first = first
        self._guard = guard
        self._log = log
        self._terminal = Terminal()
        self._program = options.command[0]
        user = user_database.lookup(options.user, log) if options.user else None
        if user and self._terminal.can_be_given_up and not options.same_group:
            # In init's session another user's payload could put words into init's terminal (TIOCSTI), and send it CONT.
            options.session = True
        # Children that are init's own helpers: they are no orphans, and not left by the payload.
        self._helpers: set[int] = set()
        self._relay = _relay(user, self._helpers, log)
        self._follow = self._follower()
        assign = [self._relay.assign()] if self._relay else []
        self._payload = spawn(options, inherited, first, self._terminal, user, assign)
        guard.payload = self._payload
        self._forwarder = Forwarder(options, self._payload, user.user if user else None, log)
        self._jobs = JobControl(options, self._payload, self._terminal, self._has_come, self._forwarder.send, log)
        self._deaths = Deaths(options, log)
        # A daemon that is followed would be in that group.
        self._must_ask_group = options.term_at_end and not first and not self._follow
        ending = self._ending if self._deaths.wants_names or self._must_ask_group else None
        self._reaper = Reaper(self._gone, self._jobs.changed, self._payload, ending)
        self._loop = Loop(self._reap, self._handle)
        self._loop.payload = 0 if ending else self._payload
        self._stops = Stops(options, self._loop, self._send_stop, self._forwarder.send_kill, log)
        self._requests = StopRequests(options.stop_signals)
        self._shutdown: Shutdown | None = None
        self._postponed: list[int] = []
        _pin_nothing(log, self._terminal, self._relay)
        if self._relay and not self._relay.begin(self._loop):
            self._relay = None
        self._loop.soon(self._deaths.begin)
        if log.verbose:
            log.info(f"payload {self._payload} started: {self._program}", pid=self._payload)

    def run(self) -> int:
        """The exit code, 0 to 255, once it is known."""
        code = self._loop.run()
        if self._relay:
            self._relay.drain()
        return code

    def _follower(self) -> Follow | None:
        path = self._options.follow
        return None if path is None else Follow(path, self._helpers, self._take_over, self._nobody_to_follow)

    def _reap(self) -> bool:
        if self._helpers and self._relay:
            self._relay.reap()
        more = self._reaper.collect()
        if self._shutdown:
            self._shutdown.reaped_some(more)
        elif self._follow:
            self._follow.look()
        return more

    def _handle(self, received: int, code: int, sender: int) -> None:
        # A signal's way to the payload: every frame in between is felt (benchmarks/measures/forward.py).
        number = self._forwarder.becomes(received, code, sender)
        if not number:
            pass
        elif self._shutdown:
            self._shutdown.handle(received, number)
        elif self._requests.is_stop(received, number):
            self._requests.note(received, number)
            self._stop(number, self._requests.is_timed(received, number))
        elif self._follow and self._follow.looks:
            self._postpone(number)
        else:
            self._forwarder.send(number, number == signals.CONT and self._jobs.continued())
        if received in signals.JOB_CONTROL:
            self._jobs.stop_received(number, number in self._forwarder.keys)

    def _stop(self, number: int, timed: bool) -> None:
        if self._follow and self._follow.looks:
            # The payload had ended before the signal came: it is for the processes that are left.
            self._follow.cancel()
            self._shut_down(0, leaves_nothing=True).look()
        elif timed:
            self._stops.send(number)
        else:
            self._send_stop(number)

    def _send_stop(self, number: int) -> None:
        self._requests.audience = self._forwarder.send_stop(number)
        self._jobs.stop_signal_forwarded()

    def _postpone(self, number: int) -> None:
        if len(self._postponed) < MOST_POSTPONED:
            self._postponed.append(number)
        else:
            self._log.warning(f"--follow: {signals.name(number)} dropped: too many signals are waiting for the daemon")

    def _has_come(self, number: int) -> bool:
        return self._loop.holds(number)

    def _ending(self, pid: int) -> None:
        """A child has ended and is about to be reaped."""
        if self._deaths.wants_names:
            self._deaths.ending(pid)
        if pid == self._payload and self._must_ask_group:
            # While the payload is a zombie, no other group can have its number.
            self._forwarder.kill(-pid, signals.TERM)
            self._must_ask_group = False

    def _gone(self, pid: int, status: int) -> None:
        if pid in self._helpers:
            return
        if pid != self._payload:
            self._deaths.orphan(pid, status)
            if self._shutdown:
                self._shutdown.gone(pid)
            return
        self._deaths.payload(pid, self._program, status, self._stops.killed)
        self._set_payload(0)
        key = 0 if self._requests.asked or self._first else self._jobs.key(status)
        self._terminal.give_back()
        if key:
            self._forwarder.pass_back(key)
        self._stops.payload_ended()
        if self._follow and not status and not self._requests.asked:
            self._look_for_daemon(self._follow)
            return
        if self._must_ask_group:
            self._log.warning("the payload's group gets no TERM, its number may be another's: waitid(2) is refused")
        self._shut_down(exit_code(status))

    def _set_payload(self, pid: int) -> None:
        """Set the process whose end ends the run; 0 for none."""
        self._payload = self._guard.payload = self._reaper.payload = pid
        self._loop.payload = 0 if self._deaths.wants_names or self._must_ask_group else pid

    def _take_over(self, process: Process) -> None:
        """Make this process, which the payload has left, the new payload."""
        self._log.info(f"following {process}", pid=process.pid)
        self._set_payload(process.pid)
        self._program = process.command
        self._terminal.lent_to(terminal.NONE)
        self._forwarder.follow(process.pid)
        self._jobs.follow(process)
        postponed, self._postponed = self._postponed, []
        for number in postponed:
            self._forwarder.send(number)

    def _look_for_daemon(self, follow: Follow) -> None:
        """The payload has exited with 0, or a daemon that was followed: that may have started a successor."""
        if not follow.began:
            self._log.info(f"--follow: looking for {follow.what}")
            follow.begin(self._loop)
            return
        try:
            successor = follow.successor()
        except OSError:
            successor = None
        if successor:
            self._take_over(successor)
        else:
            self._shut_down(0)

    def _nobody_to_follow(self, reason: str) -> None:
        self._log.error(f"--follow: {reason}", code=exit_codes.INTERNAL)
        self._shut_down(exit_codes.INTERNAL, leaves_nothing=True).look()

    def _shut_down(self, code: int, leaves_nothing: bool = False) -> Shutdown:
        """Begin the shutdown. It looks for processes that are left once children have been reaped, or when told to."""
        leftovers = Leftovers(self._first, self._helpers, self._loop, self._log)
        # A process that is followed is the payload: when it has ended, -W has nothing more to wait for.
        wait = self._options.wait and not (self._follow and self._follow.began)
        self._shutdown = Shutdown(
            self._options, leftovers, self._loop, self._reaper, self._requests, self._log, code, wait, leaves_nothing
        )
        return self._shutdown
