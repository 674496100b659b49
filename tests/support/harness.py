"""Starts an init as a user would, talks to it from outside, and ends what it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support import procfs
from tests.support.cleanup import kill, wait_until_dead
from tests.support.commands import ENVIRONMENT, PLACES, Word, compiled
from tests.support.idle_init import idle
from tests.support.polling import PATIENCE, NotInTimeError, until
from tests.support.streams import Stream


class Outcome(NamedTuple):
    """How a program ended and what it wrote."""

    code: int  # negative: killed by that signal
    stdout: str
    stderr: str


class Init:
    """A started program: as PID 1 of a namespace of its own, or as a child of ours.

    `program` is the init; empty, the payload is started bare, and `pid` is the payload's. `prepare`
    are words for payloads/prepare.c, which sets up what the init inherits. `place` is a name in
    PLACES, or the words that start the init; it must be their only child, as it is `unshare`'s.
    """

    def __init__(
        self,
        program: Sequence[Word],
        words: Sequence[Word],
        *,
        place: str | Sequence[Word] = "pid1",
        prepare: Sequence[Word] = (),
        environment: Mapping[str, str] = ENVIRONMENT,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        directory: Path | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        around = PLACES[place] if isinstance(place, str) else place
        state = [str(compiled("prepare")), *prepare, "--"] if prepare else []
        self.process = subprocess.Popen(
            [*around, *state, *program, *words],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            cwd=directory,
            pass_fds=pass_fds,
            # Away from the terminal that the tests may run in, and in an orphaned process group.
            start_new_session=True,
        )
        self._is_child = not around
        self._pid = self.process.pid if self._is_child else 0
        self._payload = 0
        self._outcome: Outcome | None = None
        self._streams = [
            Stream(os.dup(pipe.fileno())) if pipe else None for pipe in (self.process.stdout, self.process.stderr)
        ]
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    @property
    def pid(self) -> int:
        """Return the init's pid in the tests' namespace."""
        if not self._pid:
            self._pid = self._wait_for(self._first_child, "the init itself")
        return self._pid

    @property
    def payload(self) -> int:
        """Return the pid of the first child of the init that is not a copy of the init any more."""
        if not self._payload:
            self._payload = self._wait_for(self._find_payload, "a payload")
        return self._payload

    @property
    def stdout(self) -> str:
        """Return what has been written to standard output so far."""
        return self._stream(0).text

    @property
    def stderr(self) -> str:
        """Return what has been written to standard error so far."""
        return self._stream(1).text

    def expect(self, text: Word, timeout: float = PATIENCE) -> str:
        """Wait for a text on standard output after the last one; return what came up to its end."""
        return self._expect(0, text, timeout)

    def expect_error(self, text: Word, timeout: float = PATIENCE) -> str:
        """Wait for a text on standard error after the last one; return what came up to its end."""
        return self._expect(1, text, timeout)

    def end_input(self) -> None:
        """Close the pipe that is its standard input (`stdin=subprocess.PIPE`)."""
        assert self.process.stdin, "this test has handed in a standard input of its own"
        # What was written and cannot be read any more is not this test's.
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def signal(self, number: int) -> None:
        """Send a signal to the init."""
        os.kill(self.pid, number)

    def idle(self, timeout: float = PATIENCE) -> list[str]:
        """Wait until the init has done all there was to do; the system call that it sleeps in."""
        return idle(self.pid, timeout)

    def wait(self, timeout: float = PATIENCE) -> Outcome:
        """Wait for the end; what the init's orphans write later is not awaited."""
        if self._outcome is None:
            # The pipes are emptied while we wait: a program that writes much could not end.
            code = until(self._ended, lambda: f"the end; {self._news()}", timeout)[0]
            texts = [stream.text if stream else "" for stream in self._streams]
            self._outcome = Outcome(code, *texts)
        return self._outcome

    def close(self) -> None:
        """Kill what was started here, the init's descendants first, and wait until it is gone."""
        try:
            if self.process.poll() is None:
                self._kill()
        finally:
            self.process.kill()
            self.process.wait(PATIENCE)
        if self.process.stdin:
            self.end_input()
        for stream in self._streams:
            if stream:
                stream.close()

    def _stream(self, number: int) -> Stream:
        stream = self._streams[number]
        assert stream, "this test has handed in a stream of its own"
        return stream

    def _expect(self, number: int, text: Word, timeout: float) -> str:
        try:
            return self._stream(number).expect(text, timeout, lambda: self.process.poll() is not None)
        except NotInTimeError as failed:
            raise NotInTimeError(f"{failed}; {self._news()}") from None

    def _news(self) -> str:
        """Return how it exited, if it has, and its standard error: for the message of a failure."""
        code, stream = self.process.poll(), self._streams[1]
        end = "" if code is None else f"ended with {code}; "
        return end + (f"standard error has {stream.text[-500:]!r}" if stream else "standard error is the test's own")

    def _ended(self) -> tuple[int] | None:
        for stream in self._streams:
            if stream:
                stream.read()
        code = self.process.poll()
        return None if code is None else (code,)

    def _wait_for(self, condition: Callable[[], int], what: str) -> int:
        def found_or_ended() -> int:
            ended = self.process.poll()
            return condition() or (-1 if ended is not None else 0)

        found = until(found_or_ended, what)
        if found < 0:
            raise NotInTimeError(f"ended before there was {what}: {self.wait()}")
        return found

    def _first_child(self) -> int:
        return next(iter(procfs.children(self.process.pid)), 0)

    def _find_payload(self) -> int:
        for child in procfs.children(self.pid):
            # In this order: the child is a copy of the init until exec, and only then differs.
            words = procfs.command(child)
            if words and words != procfs.command(self.pid):
                return child
            if not words and procfs.alive(child):
                # In the middle of exec there is no command line; a later child must not be taken for it.
                return 0
        return 0

    def _kill(self) -> None:
        if not self._is_child:
            # As PID 1 it takes all others along.
            kill(self._first_child() or self.process.pid)
        else:
            while lower := [pid for pid in procfs.descendants(self.pid) if procfs.alive(pid)]:
                # Stopped, the init cannot start anything or hand children on in between.
                os.kill(self.pid, signal.SIGSTOP)
                for pid in lower:
                    kill(pid)
                    wait_until_dead(pid)
            kill(self.pid)
        # unshare reports the death on standard error, and waits if that pipe is full.
        until(self._ended, "the end of a killed init")
