"""payloads/actor.c as seen from here: it is told something, and answers."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Sequence
from typing import IO

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import payload
from tests.support.polling import until
from tests.support.streams import Stream

COMMAND = payload("actor")


class Actor:
    """Somebody who obeys: lines are written to `told`; `expect` waits for a text on its output and returns it."""

    def __init__(self, told: IO[bytes], expect: Callable[[str], str]) -> None:
        self._told = told
        self._expect = expect
        self._expect("ready\n")

    def ask(self, words: str) -> list[str]:
        """Tell it something; return its answer's words after the first."""
        self.tell(words)
        return self._expect("\n").split()[1:]

    def tell(self, words: str) -> None:
        """Tell it something to which it gives no answer."""
        with contextlib.suppress(BrokenPipeError):
            self._told.write(words.encode() + b"\n")
            self._told.flush()

    def took(self) -> list[int]:
        """The signals that have come since this was last asked, in their order; at most 4096."""
        return [int(word) for word in self.ask("took")]

    def counts(self) -> dict[int, int]:
        """How often each signal has come since the start."""
        pairs = (word.split(":") for word in self.ask("counts"))
        return {int(number): int(count) for number, count in pairs}


class Entered:
    """An actor that was let into an init's PID namespace, as `docker exec` does; its parent is outside."""

    def __init__(self, init: int, command: Sequence[str]) -> None:
        words = ["/usr/bin/nsenter", "-t", str(init), "-p", "-m", "--", *command]
        self._client = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        assert self._client.stdin
        assert self._client.stdout
        self._stream = Stream(os.dup(self._client.stdout.fileno()))
        self._client.stdout.close()
        self.actor = Actor(self._client.stdin, self._stream.expect)
        self.pid = until(lambda: next(iter(procfs.children(self._client.pid)), 0), "the process that was let in")

    def leave(self) -> int:
        """Have it end by itself, and return its exit code."""
        assert self._client.stdin
        self._client.stdin.close()
        code = until(self._ended, "the end of one who was let in")[0]
        self._stream.close()
        return code

    def end(self) -> None:
        """Kill it, unless init has done so already, and wait for its client."""
        if not self._ended():
            kill(self.pid)
        self.leave()

    def _ended(self) -> tuple[int] | None:
        code = self._client.poll()
        return None if code is None else (code,)
