"""Engines that keep containers by their names, and have a client that is asked for them: docker and podman."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tests.engines.engine import Container, Engine
from tests.engines.support import run


class Keeper(Protocol):
    """Whoever keeps the containers."""

    def client(self, *words: str) -> list[str]:
        """A command line of the client."""

    def do(self, *words: str) -> str:
        """Run a command of the client to its end; what it says on standard output."""


class WithClient(Engine):
    """Containers of an image, run and asked for by way of the client."""

    image = "entry:1"
    options: tuple[str, ...] = ()
    # What the client needs besides when it runs a container, and when it removes one that it may not know.
    to_run: tuple[str, ...] = ()
    to_remove: tuple[str, ...] = ()

    def __init__(self, folder: Path, keeper: Keeper) -> None:
        """Run containers of this keeper's."""
        super().__init__(folder)
        self.keeper = keeper

    def command(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """The client's command line; see Engine."""
        assigned = [f"--env={key}={value}" for key, value in environment.items()]
        run_it = ["run", "--rm", "--interactive", f"--name={name}", *self.to_run]
        return self.keeper.client(*run_it, *assigned, *self.options, self.image, *words)

    def find_init(self, container: Container) -> int:
        """Ask the engine."""
        asked = self.keeper.client("inspect", "--format={{.State.Pid}}", container.name)
        return int(run(*asked, check=False).stdout.strip() or 0)

    def send(self, container: Container, number: int) -> None:
        """Use the engine's own command."""
        self.keeper.do("kill", f"--signal={number}", container.name)

    def stop(self, container: Container, seconds: int = 50) -> None:
        """Use the engine's own command; it sends KILL after this time."""
        self.keeper.do("stop", f"--time={seconds}", container.name)

    def enter(self, container: Container, words: Sequence[str]) -> None:
        """Use the engine's own command."""
        self.keeper.do("exec", container.name, *words)

    def freeze(self, container: Container) -> None:
        """Use the engine's own command."""
        self.keeper.do("pause", container.name)

    def thaw(self, container: Container) -> None:
        """Use the engine's own command."""
        self.keeper.do("unpause", container.name)

    def remove(self, name: str) -> None:
        """Kill and forget the container if the engine still knows it."""
        run(*self.keeper.client("rm", "--force", *self.to_remove, name), check=False)
