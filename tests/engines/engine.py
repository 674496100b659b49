"""An engine, as the tests see one: it runs a command under pyinit and tells how that ended."""

from __future__ import annotations

import abc
import contextlib
import itertools
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.engines.support import PATIENCE, until
from tests.support import procfs

NUMBERS = itertools.count(1)


@dataclass
class Container:
    """A container that runs in the foreground of its engine's client."""

    engine: Engine
    name: str
    client: subprocess.Popen[bytes]
    folder: Path
    _init: int = field(default=0)

    @property
    def init(self) -> int:
        """The pid of pyinit in the container, as the host sees it."""
        if not self._init:
            until(lambda: self._find_init() or self.over(), f"{self.name} has an init")
            assert self._init, f"it has ended: {self.ended()}"
        return self._init

    def _find_init(self) -> int:
        self._init = self.engine.find_init(self)
        return self._init

    @property
    def output(self) -> str:
        """What the container has written to its standard output so far."""
        return (self.folder / "out").read_text(errors="surrogateescape")

    @property
    def errors(self) -> str:
        """What the container, or its engine's client, has written to standard error so far."""
        return (self.folder / "err").read_text(errors="surrogateescape")

    def says(self, line: str) -> None:
        """Wait until this line, whole, is among the container's output."""
        until(lambda: line in self.output.splitlines() or self.over(), f"{self.name} says {line}")
        assert line in self.output.splitlines(), f"{self.output!r} {self.errors!r}"

    def over(self) -> bool:
        """Whether the container has ended."""
        return self.client.poll() is not None

    def signal(self, number: int) -> None:
        """Send a signal to pyinit, the way of the engine."""
        self.engine.send(self, number)

    def wait(self) -> int:
        """The exit code, as a user of the engine sees it."""
        code = self.client.wait(PATIENCE)
        return 128 - code if code < 0 else code

    def ended(self) -> tuple[int, str, str]:
        """Wait for the end; the exit code, standard output and standard error."""
        return self.wait(), self.output, self.errors


class Engine(abc.ABC):
    """One way to run containers with pyinit as their init."""

    name: str
    # The pid of pyinit inside: 2 where the engine's own stub is PID 1.
    init_inside = 1
    # Exit codes for a program that is missing, and for one that cannot be executed.
    not_found, not_executable = 127, 126

    def __init__(self, folder: Path) -> None:
        """Keep everything this engine writes in a folder of the tests' own."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @abc.abstractmethod
    def command(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """The command that runs these words in a container of this name."""

    @abc.abstractmethod
    def find_init(self, container: Container) -> int:
        """The init's pid as the host sees it; 0 if there is none yet."""

    def send(self, container: Container, number: int) -> None:
        """Send a signal to pyinit; engines that have a command for it use that."""
        os.kill(container.init, number)

    def enter(self, container: Container, words: Sequence[str]) -> None:
        """Run these words in the container as another process, to their end."""
        raise NotImplementedError(self.name)

    def stop(self, container: Container) -> None:
        """Ask the engine to stop the container."""
        raise NotImplementedError(self.name)

    def freeze(self, container: Container) -> None:
        """Have the engine pause the container."""
        raise NotImplementedError(self.name)

    def thaw(self, container: Container) -> None:
        """Have the engine resume it."""
        raise NotImplementedError(self.name)

    def remove(self, name: str) -> None:  # noqa: B027  # most have nothing to remove
        """Remove whatever a container of this name may have left."""

    @contextlib.contextmanager
    def container(
        self,
        *words: str,
        environment: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> Iterator[Container]:
        """Run a command in a container; whatever happens, nothing of it stays."""
        name = f"pyinit-{os.getpid()}-{next(NUMBERS)}"
        folder = self.folder / name
        folder.mkdir()
        (folder / "in").write_bytes(stdin)
        command = self.command(name, words, environment or {})
        with (
            (folder / "in").open("rb") as given,
            (folder / "out").open("wb") as out,
            (folder / "err").open("wb") as err,
        ):
            client = subprocess.Popen(command, stdin=given, stdout=out, stderr=err)
        try:
            yield Container(self, name, client, folder)
        finally:
            inside = procfs.descendants(client.pid)
            self.remove(name)
            client.send_signal(signal.SIGKILL)
            client.wait()
            # The kernel needs a moment for what dies with its client.
            until(lambda: not any(map(procfs.alive, inside)), f"{name} has ended")

    def run(
        self,
        *words: str,
        environment: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> tuple[int, str, str]:
        """Run a command in a container to its end; its code, standard output and error."""
        with self.container(*words, environment=environment, stdin=stdin) as container:
            return container.ended()
