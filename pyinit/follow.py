"""--follow: find the process that takes the place of a payload which goes to the background.

Without a PIDFILE it is the only child that init then has. Init looks for a while, because the file may be written only
after the payload has ended (nginx, postgres), and processes between payload and daemon may take a moment to end.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from pyinit import files
from pyinit.event_loop import EventLoop, Timer
from pyinit.exit_codes import Failure
from pyinit.numbers import HIGHEST_PID, number
from pyinit.procfs import processes
from pyinit.procfs.processes import Process

# Seconds to look for the process that a PIDFILE names, and between two looks: nothing tells that the file was written.
PID_FILE_SECONDS = 5.0
LOOK_INTERVAL = 0.05
# Seconds until several children are an error: processes between the payload and its daemon exit at once.
SEVERAL_CHILDREN_SECONDS = 0.5
# Bytes of a PIDFILE: digits of a pid of at most 2^22 (proc(5), pid_max), and a newline.
PID_FILE_BYTES = 64

Found = Callable[[Process], None]
Failed = Callable[[str], None]


class Follow:
    """Look for the process that takes the payload's place; call `found` with it or `failed` with the reason.

    `has_begun` is True once the search has begun, `is_looking` while it goes on.
    """

    __slots__ = (
        "_end",
        "_failed",
        "_found",
        "_helpers",
        "_identity_before",
        "_loop",
        "_next",
        "_path",
        "has_begun",
        "is_looking",
    )

    def __init__(self, pid_file: str, helpers: set[int], found: Found, failed: Failed) -> None:
        """Take the path of a PIDFILE, "" for none, before the payload is started.

        `helpers` are children that do init's own work.
        """
        self._helpers = helpers
        self._path = _absolute(pid_file) if pid_file else ""
        # A file that an earlier container left in a volume names a process that is gone, or an unrelated one.
        self._identity_before = self._pid_file_identity()
        self._loop: EventLoop | None = None
        self._found = found
        self._failed = failed
        self._end: Timer | None = None
        self._next: Timer | None = None
        self.is_looking = self.has_begun = False

    @property
    def what(self) -> str:
        """Return a description of the process that is looked for."""
        return f"the process that {self._path} names" if self._path else "the process that the payload has left"

    def begin(self, loop: EventLoop) -> None:
        """Begin to look. `found` or `failed` will be called."""
        self._loop = loop
        self.is_looking = self.has_begun = True
        self._end = loop.after(PID_FILE_SECONDS if self._path else SEVERAL_CHILDREN_SECONDS, self._end_search)
        self.look()

    def cancel(self) -> None:
        """Stop looking."""
        self.is_looking = False
        for timer in (self._end, self._next):
            if timer and self._loop:
                self._loop.cancel(timer)

    def look(self) -> None:
        """Look once more: a child has exited, or time has passed."""
        if not self.is_looking or not self._loop:
            return
        try:
            children = self._children()
        except OSError as error:
            self.cancel()
            self._fail_without_proc(error)
            return
        process = self._successor_among(children)
        if process:
            self.cancel()
            self._found(process)
        elif not children:
            self.cancel()
            self._failed("the payload has left no process that could take its place")
        elif self._path:
            if self._next:
                self._loop.cancel(self._next)
            self._next = self._loop.after(LOOK_INTERVAL, self.look)

    def successor(self) -> Process | None:
        """Return the process that takes the place of one that has ended, or None if there is none yet.

        Raises OSError if /proc cannot be read.
        """
        return self._successor_among(self._children())

    def _successor_among(self, children: list[Process]) -> Process | None:
        if self._path:
            return self._named_in_pid_file(children)
        return children[0] if len(children) == 1 else None

    def _end_search(self) -> None:
        self.cancel()
        if self._path:
            self._failed(f"{self._path} does not name a child of init after {PID_FILE_SECONDS:g} s")
            return
        try:
            names = ", ".join(f"{process.pid} {process.command}" for process in self._children())
        except OSError as error:
            self._fail_without_proc(error)
        else:
            self._failed(f"the payload has left several processes ({names}): name one by --follow=PIDFILE")

    def _fail_without_proc(self, error: OSError) -> None:
        self._failed(f"what the payload has left cannot be seen: /proc: {error.strerror}")

    def _named_in_pid_file(self, children: list[Process]) -> Process | None:
        if self._pid_file_identity() == self._identity_before:
            return None
        try:
            words = files.read(self._path, PID_FILE_BYTES).split()
        except OSError:
            return None
        pid = number(words[0], HIGHEST_PID) if words else None
        return next((process for process in children if process.pid == pid), None)

    def _children(self) -> list[Process]:
        """Return init's own children that are alive, without its helpers."""
        own = os.getpid()
        try:
            found = [child for pid in processes.children() if (child := processes.child(pid))]
        except OSError:
            # Without CONFIG_PROC_CHILDREN the kernel does not list them.
            found = [process for process in processes.descendants(own) if process.parent == own]
        return [process for process in found if process.pid not in self._helpers and _is_running_child(process)]

    def _pid_file_identity(self) -> tuple[int, int, int] | None:
        """Return what changes when the PIDFILE is written; None without a file."""
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_mtime_ns


def _is_running_child(process: Process) -> bool:
    """Return True if init's child has not exited. A /proc that the payload has mounted may show any process as one."""
    try:
        return process.alive and not processes.has_ended(process.pid)
    except ChildProcessError:
        return False
    except OSError:
        # A seccomp filter forbids waitid(2).
        return True


def _absolute(path: str) -> str:
    """Return the whole path: init will go to another directory. Raises Failure where the present one was deleted."""
    try:
        return os.path.abspath(path)
    except OSError as error:
        raise Failure(f"--follow={path}: the current directory: {error.strerror}; give an absolute path") from None
