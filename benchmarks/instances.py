"""A running init with its payload, as PID 1 of a PID namespace, and what /proc tells of it."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.helpers import compiled
from benchmarks.programs import Program
from benchmarks.surroundings import ENVIRONMENT
from benchmarks.units import NANOSECONDS
from tools.namespace import NAMESPACE
from tools.tree import ROOT

SETTLE = 0.3  # seconds until an init that has started its payload sleeps


class Instance:
    """Started when made, and ready: its payload has written its first byte. A context manager that kills it."""

    def __init__(self, program: Program, *payload: str) -> None:
        self.program = program
        self._payload = str(compiled("payload"))
        self._unshare = subprocess.Popen(
            [*NAMESPACE, *program.command, self._payload, *payload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=ENVIRONMENT,
            cwd=ROOT,
        )
        assert self._unshare.stdin
        assert self._unshare.stdout
        self.input = self._unshare.stdin
        self.output = self._unshare.stdout
        self.read(1)
        self.pid = _children(self._unshare.pid)[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        # As PID 1 it takes its payload along, and unshare ends when it has ended.
        os.kill(self.pid, signal.SIGKILL)
        self._unshare.wait()
        self.input.close()
        self.output.close()

    def read(self, size: int) -> bytes:
        """So many bytes of what the payload writes; raises EOFError when it has ended."""
        data = b""
        while len(data) < size:
            part = self.output.read(size - len(data))
            if not part:
                raise EOFError(f"{self.program.name}: the payload has ended, or could not be started")
            data += part
        return data

    def tell(self, number: int) -> None:
        """Write a number to the payload."""
        self.input.write(struct.pack("=I", number))

    def inits(self) -> Iterator[int]:
        """The pids of the init's own processes: one, but for PyInstaller's onefile."""
        pids = [self.pid]
        for pid in pids:
            yield pid
            pids += [child for child in _children(pid) if os.readlink(f"/proc/{child}/exe") != self._payload]

    def processor_time(self) -> float:
        """Seconds that the init has run so far."""
        return sum(int(_read(pid, "schedstat").split()[0]) for pid in self.inits()) / NANOSECONDS

    def wake_ups(self) -> int:
        """How often the init has been given the processor."""
        return sum(int(_read(pid, "schedstat").split()[2]) for pid in self.inits())

    def memory(self, name: str) -> int:
        """KB of a line of smaps_rollup: Rss, Pss, Private_Dirty ..."""
        lines = [line for pid in self.inits() for line in _read(pid, "smaps_rollup").splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def settle() -> None:
    """Wait until inits that have just started their payloads have nothing more to do."""
    time.sleep(SETTLE)


def _children(pid: int) -> list[int]:
    return [int(word) for word in _read(pid, f"task/{pid}/children").split()]


def _read(pid: int, name: str) -> str:
    return Path("/proc", str(pid), name).read_text()
