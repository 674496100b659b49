"""A terminal with a program in it, used as a person would use it: type, then read what appears."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import ENVIRONMENT, Word
from tests.support.polling import PATIENCE, until
from tests.support.streams import Stream

# Interactive, without line editing: the terminal itself echoes and handles ^C, as for any program.
BASH = ("bash", "--norc", "--noprofile", "--noediting", "-i")
# The prompt shows the last command's exit code: "[0]: ".
PROMPT = "[$?]: "
INTERRUPT, QUIT, SUSPEND, END = b"\x03", b"\x1c", b"\x1a", b"\x04"


class Terminal:
    """A pseudo-terminal; `words` run in a session of their own with it as controlling terminal."""

    def __init__(
        self,
        words: Sequence[Word] = BASH,
        *,
        environment: Mapping[str, str] = ENVIRONMENT,
        rows: int = 24,
        columns: int = 200,
    ) -> None:
        self._master, slave = os.openpty()
        try:
            self.name = os.ttyname(slave)
            self.resize(rows, columns)
            self.process = subprocess.Popen(
                # setsid does not fork here: a new child leads no group yet.
                ["setsid", "--ctty", *words],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env={**environment, "PS1": PROMPT, "TERM": "dumb"},
            )
        finally:
            os.close(slave)
        self._screen = Stream(os.dup(self._master))

    @property
    def pid(self) -> int:
        """Return the pid of the program in the terminal, which leads the session."""
        return self.process.pid

    @property
    def screen(self) -> str:
        """Return everything that has appeared so far, with what was typed."""
        return self._screen.text

    @property
    def foreground(self) -> int:
        """Return the process group in the foreground."""
        return os.tcgetpgrp(self._master)

    def press(self, keys: bytes) -> None:
        """Type keys as they are."""
        os.write(self._master, keys)

    def type(self, line: str) -> None:
        """Type a line; it appears on the screen too: expect something that is not in it."""
        self.press(line.encode() + b"\n")

    def expect(self, text: Word, timeout: float = PATIENCE) -> str:
        """Wait for a text after the last one expected; return what appeared up to its end."""
        return self._screen.expect(text, timeout)

    def prompt(self, code: int, timeout: float = PATIENCE) -> str:
        """Wait for bash's prompt after a command that ended with `code`."""
        return self.expect(f"[{code}]: ", timeout)

    def stopped(self) -> None:
        """Wait for bash's prompt after a job was stopped, whether by TSTP or by STOP."""
        self.expect("Stopped")
        self.expect("]: ")

    def runs(self, *words: str) -> int:
        """Wait until this command runs, with its group in the foreground; return its pid."""

        def found() -> int:
            for pid in procfs.descendants(self.pid):
                if procfs.command(pid) == list(words) and procfs.group(pid) == self.foreground:
                    return pid
            return 0

        return until(found, f"{words} in the foreground")

    def rest(self) -> None:
        """Wait until all that runs on the terminal sleeps, and has written what it had to write."""

        def rests() -> bool:
            before = self.screen
            running = [self.pid, *procfs.descendants(self.pid)]
            return all(procfs.rests(pid) and procfs.sleeping_in(pid) != "write" for pid in running) and (
                self.screen == before
            )

        until(rests, "a terminal at rest")

    def hang_up(self) -> None:
        """Close the terminal: its session gets HUP."""
        self._screen.close()
        os.close(self._master)
        self._master = -1

    def resize(self, rows: int, columns: int) -> None:
        """Change the size; the foreground group gets WINCH when it differs."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def members(self) -> list[int]:
        """Return the living processes of the session."""
        pids = [int(entry.name) for entry in Path("/proc").glob("[1-9]*")]
        return [pid for pid in pids if procfs.session(pid) == self.pid and procfs.alive(pid)]

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for the program's end; its exit code, negative when killed by a signal."""

        def ended() -> bool:
            # A terminal that nobody reads would hold the program up.
            self._screen.read()
            return self.process.poll() is not None

        until(ended, "the program's end", timeout)
        return self.process.wait()

    def close(self) -> None:
        """Kill everything in the terminal's session, and what descends from it; then close it."""
        for pid in [*procfs.descendants(self.pid), *self.members()]:
            kill(pid)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self._screen.close()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
