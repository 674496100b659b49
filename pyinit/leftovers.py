"""The processes that are left when the payload has exited, and how to signal them.

As PID 1 those are all processes of the namespace but init, also those that entered from outside (docker exec);
otherwise init's own descendants. Zombies that are not init's own do not count, nor do kernel threads, which are in the
namespace if init is PID 1 of a machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from pyinit import fds, native, signals
from pyinit.event_loop import EventLoop
from pyinit.procfs import processes, signal_descendants
from pyinit.procfs.kill_as_owner import OwnerSignaler
from pyinit.procfs.processes import MOST_PARENTS, OUTSIDE, Process
from pyinit.procfs.signal_descendants import DescendantSignaler
from pyinit.report.log import Log

# Clock ticks of processor time: more than a filter needs to read its last line, and less than a busy process gets
# between two looks, unless the machine is overloaded.
STARVED = 2


class Leftovers:
    """The processes that are left.

    `is_pid1` is True if those are the whole namespace. `helpers` are children that do init's own work: they do not
    count. `on_exit` is called when a process has exited whose exit raises no SIGCHLD here.

    `known` are the processes that were left when /proc was last read, without those that are known to have exited
    since. `proc_readable` is False if /proc could not be read. With `only_signallable`, processes that init may not
    signal do not count.
    """

    __slots__ = (
        "_helpers",
        "_is_pid1",
        "_log",
        "_loop",
        "_not_waited_for",
        "_on_exit",
        "_sender",
        "_unreachable",
        "_watched",
        "_watches_all",
        "known",
        "only_signallable",
        "proc_readable",
    )

    def __init__(
        self, is_pid1: bool, helpers: set[int], loop: EventLoop, on_exit: Callable[[], None], log: Log
    ) -> None:
        self._is_pid1 = is_pid1
        self._helpers = helpers
        self._loop = loop
        self._on_exit = on_exit
        self._log = log
        self._watched: dict[int, int] = {}
        self._not_waited_for: set[int] = set()
        self._sender = OwnerSignaler()
        self._unreachable = False
        self.known: dict[int, Process] = {}
        self.proc_readable = True
        self.only_signallable = False
        self._watches_all = True

    @property
    def all_exits_observable(self) -> bool:
        """Return True if init would notice the exit of each process that is left."""
        return not self._is_pid1 or (self.proc_readable and self._watches_all)

    def none_without_children(self) -> bool:
        """Return True if nothing is left, given that init has no children."""
        if not self._is_pid1 or native.is_last_process():
            return True
        # A process that entered from outside; or a zombie that its parent outside does not reap; or kill(2) is
        # forbidden by a seccomp filter. /proc tells which.
        self.find()
        return self.proc_readable and not self.known

    def only_ignored_children(self) -> bool:
        """Return True if init does not wait for any of its children, because it may not signal them.

        Only right after `find` or `recount`, and if waitpid(2) has told that there are children.
        """
        if not self.only_signallable or not self.proc_readable or self.known:
            return False
        try:
            return not any(self._may_matter(pid) for pid in processes.children())
        except OSError:
            return True

    def _may_matter(self, child: int) -> bool:
        """Return True if a child is to be reaped, or is new and may be signalled."""
        try:
            return processes.has_ended(child) or self._may_signal(child)
        except OSError:
            return False

    def find(self) -> None:
        """Read /proc: update `known` and `proc_readable`."""
        try:
            found = processes.all_processes() if self._is_pid1 else processes.descendants(os.getpid())
        except OSError as error:
            if self.proc_readable:
                self._log.info(f"what is left cannot be seen: /proc: {error.strerror}")
            self.proc_readable = False
            self.known = {}
            return
        self.known = {process.pid: process for process in found if self._counts(process)}
        # A child that was started while /proc was read, or that /proc does not show.
        self.adopt()
        if self._is_pid1:
            # A copy: `_watch` removes those that have exited meanwhile.
            for process in list(self.known.values()):
                if process.parent == OUTSIDE and process.pid not in self._watched:
                    self._watch(process.pid)

    def _counts(self, process: Process) -> bool:
        if not process.alive or process.is_kernel_thread or process.pid in (os.getpid(), *self._helpers):
            return False
        if not self.only_signallable or self._may_signal(process.pid):
            return True
        self._log_as_left(process)
        return False

    def _may_signal(self, pid: int) -> bool:
        """Return True if init may signal a process, or if it is gone."""
        try:
            self._sender.kill(pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return True

    def _log_as_left(self, process: Process) -> None:
        """Log that a process is not waited for. As PID 1 only with -v: the kernel kills it when init exits."""
        if process.pid not in self._not_waited_for:
            self._not_waited_for.add(process.pid)
            log = self._log.info if self._is_pid1 else self._log.warning
            log(f"not waited for, because pyinit may not signal it: {process}", pid=process.pid)

    def _watch(self, pid: int) -> None:
        try:
            descriptor = fds.dup_above_stderr(os.pidfd_open(pid))
        except ProcessLookupError:
            self.known.pop(pid, None)
            return
        except OSError as error:
            self._cannot_watch(pid, error)
            return
        try:
            self._loop.watch(descriptor, partial(self._has_exited, pid))
        except OSError as error:
            os.close(descriptor)
            self._cannot_watch(pid, error)
        else:
            self._watched[pid] = descriptor

    def _cannot_watch(self, pid: int, error: OSError) -> None:
        # Linux before 5.3, a seccomp filter, or no descriptor to spare for the pidfd or the loop's pipe.
        self._watches_all = False
        self._log.debug(f"the exit of {pid} will not be noticed: {error.strerror}", pid=pid)

    def _has_exited(self, pid: int) -> None:
        descriptor = self._watched.pop(pid)
        self._loop.unwatch(descriptor)
        os.close(descriptor)
        self.known.pop(pid, None)
        self._on_exit()

    def reaped(self, pid: int) -> None:
        """Forget a child that was reaped."""
        self.known.pop(pid, None)

    def is_any_starved(self) -> bool:
        """Look again; return True if a process waits for a processor or a disk, and has hardly run since last time."""
        before = {pid: process.cpu for pid, process in self.known.items()}
        self.find()
        return any(
            process.state in "RD" and process.cpu - before.get(process.pid, 0) < STARVED
            for process in self.known.values()
        )

    def tops(self) -> list[Process]:
        """Return init's children, and the processes that entered from outside (docker exec)."""
        return [process for process in self.known.values() if process.parent in (os.getpid(), OUTSIDE)]

    def recount(self) -> None:
        """Look again at processes whose parent has exited: have they exited too, and if not, what is their parent?"""
        tops = (os.getpid(), OUTSIDE)
        below: dict[int, list[Process]] = {}
        for process in self.known.values():
            below.setdefault(process.parent, []).append(process)
        lost = [
            process
            for parent, children in below.items()
            if parent not in self.known and parent not in tops
            for process in children
        ]
        looks = len(self.known) * MOST_PARENTS
        for process in lost:
            # The list grows while it is walked.
            looks -= 1
            now = _with_new_parent(process) if looks > 0 else None
            if not now:
                del self.known[process.pid]
                lost += below.pop(process.pid, ())
                continue
            self.known[now.pid] = now
            if now.parent in self.known or now.parent in tops:
                below.setdefault(now.parent, []).append(now)
            else:
                lost.append(now)

    def adopt(self) -> list[Process]:
        """Add the processes that have become init's children since the last look; return them."""
        new = []
        try:
            for pid in processes.children():
                process = None if pid in self.known else processes.child(pid)
                if process and self._counts(process):
                    self.known[pid] = process
                    new.append(process)
        except OSError:
            # The kernel does not list them: they are found by the next walk through /proc.
            pass
        return new

    def send(self, number: int, everyone: bool) -> None:
        """Send a signal to all that is left, or only to init's children and those that entered from outside."""
        if everyone or not self.proc_readable:
            self._send_to_all(number)
            return
        self.recount()
        self.adopt()
        self.send_to(self.tops(), number)

    def send_to(self, found: list[Process], number: int) -> None:
        """Send a signal to these processes."""
        for process in found:
            try:
                signal_descendants.send(process, number)
            except ProcessLookupError:
                continue
            except OSError as error:
                self.refused(process.pid, number, error)

    def _send_to_all(self, number: int) -> None:
        if self._is_pid1:
            try:
                self._sender.kill(signals.EVERYBODY, number)
            except OSError as error:
                self._log.debug(f"{signals.name(number)} reached no process: {error.strerror}")
            return
        signaler = DescendantSignaler(lambda _: (number,), self.refused, spare_new=number != signals.KILL)
        try:
            signaler.walk(self._descendants)
        except OSError as error:
            log = self._log.debug if self._unreachable else self._log.warning
            log(f"what is left cannot be reached: /proc: {error.strerror}")
            self._unreachable = True

    def _descendants(self) -> list[Process]:
        return processes.descendants(os.getpid())

    def refused(self, pid: int, number: int, _: OSError) -> None:
        """Send a signal that init may not send to a process as the process's owner; log a refusal of that."""
        try:
            self._sender.kill(pid, number)
        except ProcessLookupError:
            return
        except OSError as error:
            self._log.info(f"{signals.name(number)} could not be sent to {pid}: {error.strerror}", pid=pid)


def _with_new_parent(process: Process) -> Process | None:
    """Return what a process is now if it lives and its parent is another one; otherwise None."""
    try:
        now = Process(process.pid)
    except OSError:
        return None
    return now if now.started == process.started and now.alive and now.parent != process.parent else None
