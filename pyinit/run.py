"""One run of init, from its start to its exit code: the rooms are put together here."""

from __future__ import annotations

import os

import prctl

from pyinit import descriptors, identity, native, signals
from pyinit.deaths import Deaths
from pyinit.errors import Failure
from pyinit.forward import Forwarder
from pyinit.guard import Guard
from pyinit.identity import Identity
from pyinit.jobcontrol import JobControl
from pyinit.leftovers import Leftovers
from pyinit.log import Log
from pyinit.loop import Loop
from pyinit.options import Options
from pyinit.pause import Pause
from pyinit.reaper import Reaper
from pyinit.shutdown import Shutdown
from pyinit.spawn import Inherited, spawn
from pyinit.status import exit_code
from pyinit.stops import Stops
from pyinit.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.notify import Relay


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
        tell = log.warning if options.subreaper else log.info
        tell(f"orphans will not be adopted: PR_SET_CHILD_SUBREAPER: {error.strerror}")


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
    first = descriptors.FIRST
    for keeper in keepers:
        if keeper:
            first = keeper.keep(first)
    native.close_range(first)


def _pause(options: Options, log: Log) -> int:
    pause = Pause(options, log)
    _pin_nothing(log)
    return pause.run()


def _relay(user: Identity | None, log: Log) -> Relay | None:
    address = native.getenv(b"NOTIFY_SOCKET")
    if not address:
        return None
    from pyinit import notify

    return notify.relay(address, user.user if user else None, log)


class _Run:
    """A payload's life."""

    __slots__ = (
        "_deaths",
        "_first",
        "_forwarder",
        "_guard",
        "_jobs",
        "_log",
        "_loop",
        "_options",
        "_ordered",
        "_payload",
        "_reaper",
        "_relay",
        "_shutdown",
        "_stopping",
        "_stops",
        "_terminal",
    )

    def __init__(self, options: Options, inherited: Inherited, first: bool, log: Log, guard: Guard) -> None:
        self._options = options
        self._first = first
        self._guard = guard
        self._log = log
        self._terminal = Terminal()
        user = identity.lookup(options.user) if options.user else None
        self._relay = _relay(user, log)
        assign = [self._relay.assign()] if self._relay else []
        self._payload = spawn(options, inherited, self._terminal, user, assign)
        guard.payload = self._payload
        self._forwarder = Forwarder(options, self._payload, log)
        self._jobs = JobControl(self._payload, self._terminal, self._has_come, log)
        self._deaths = Deaths(options, log)
        ending = self._deaths.ending if self._deaths.wants_names else None
        self._reaper = Reaper(self._gone, self._jobs.changed, self._payload, ending)
        self._loop = Loop(self._reap, self._handle)
        self._loop.payload = 0 if ending else self._payload
        self._stops = Stops(options, self._loop, self._forwarder.send, log)
        self._ordered = False
        self._stopping = False
        self._shutdown: Shutdown | None = None
        _pin_nothing(log, self._terminal, self._relay)
        if self._relay and not self._relay.begin(self._loop):
            self._relay = None
        self._loop.soon(self._deaths.begin)
        if log.verbose:
            log.info(f"payload {self._payload} started: {options.command[0]}", pid=self._payload)

    def run(self) -> int:
        """The exit code, 0 to 255, once it is known."""
        code = self._loop.run()
        if self._relay:
            self._relay.drain()
        return code

    def _reap(self) -> bool:
        more = self._reaper.collect()
        if self._shutdown:
            self._shutdown.reaped_some(more)
        return more

    def _handle(self, received: int, code: int, sender: int) -> None:
        number = self._forwarder.becomes(received, code, sender)
        if not number:
            return
        if self._shutdown:
            self._shutdown.handle(received, number)
        else:
            # Rewritten, it is for init what it was as well as what it becomes.
            come = {received, number}
            if come & signals.ORDERS:
                self._ordered = True
            if come & signals.STOP_REQUESTS:
                self._stopping = True
            if number == signals.CONT and self._jobs.continued():
                self._forwarder.send(number, whole_group=True)
            else:
                self._stops.send(number)
        if received in signals.JOB_CONTROL and number in signals.STOPS:
            self._jobs.stop_forwarded(number, number in self._forwarder.keys)

    def _has_come(self, number: int) -> bool:
        return self._loop.holds(number)

    def _gone(self, pid: int, status: int) -> None:
        if pid != self._payload:
            self._deaths.orphan(pid, status)
            if self._shutdown:
                self._shutdown.gone(pid)
            return
        self._deaths.payload(pid, self._options.command[0], status, self._stops.killed)
        self._payload = self._guard.payload = self._reaper.payload = self._loop.payload = 0
        key = 0 if self._stopping or self._first else self._jobs.key(status)
        self._terminal.give_back()
        if key:
            self._forwarder.pass_back(key)
        if self._options.term_at_end and not self._first:
            self._forwarder.kill(-pid, signals.TERM)
        held = self._stops.payload_ended()
        code = exit_code(status)
        leftovers = Leftovers(self._first, self._loop, self._log)
        self._shutdown = Shutdown(self._options, leftovers, self._loop, self._reaper, self._log, code)
        self._shutdown.stopping = self._stopping
        self._shutdown.ordered = self._ordered
        if held:
            self._shutdown.handle(held, held)
