"""Engines that are one command: unshare, bubblewrap, systemd-nspawn."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.engines.engine import Container, Engine
from tests.engines.images import INIT
from tests.engines.support import pid_inside
from tests.support.procfs import children, descendants
from tests.support.requirements import need


class Commanded(Engine):
    """An engine without a daemon and without state: its client is the container's parent."""

    def __init__(self, folder: Path, root: Path) -> None:
        """Run containers on this root file system."""
        super().__init__(folder)
        self.root = root

    def find_init(self, container: Container) -> int:
        """Look for it among what descends from the client."""
        for pid in descendants(container.client.pid):
            # Until the client's child has become pyinit it is not the one to be signalled.
            if pid_inside(pid) == self.init_inside and runs(pid, self.root / "pyinit"):
                return pid
        return 0


class Unshare(Commanded):
    """util-linux's unshare: a PID and a mount namespace, nothing else."""

    name = "unshare"

    def command(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """unshare's command line; see Engine."""
        need("unshare")
        assigned = [f"{key}={value}" for key, value in environment.items()]
        namespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
        assigned.append(f"HOSTNAME={name}")
        return ["env", *assigned, *namespace, f"--root={self.root}", *INIT, *words]


class Bubblewrap(Commanded):
    """bubblewrap with pyinit in place of its own reaper."""

    name = "bwrap"

    def command(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """bwrap's command line; see Engine."""
        need("bwrap")
        assigned = [word for pair in environment.items() for word in ("--setenv", *pair)]
        namespace = ["bwrap", "--unshare-pid", "--as-pid-1", "--die-with-parent", "--unshare-uts"]
        view = ["--hostname", name, "--bind", str(self.root), "/", "--proc", "/proc", "--dev", "/dev"]
        return [*namespace, *view, *assigned, *INIT, *words]


class Nspawn(Commanded):
    """systemd-nspawn with pyinit as PID 1."""

    name = "nspawn"
    options: tuple[str, ...] = ()
    # The socket that nspawn itself is given to say that the container is ready.
    manager: Path | None = None

    def command(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """nspawn's command line; see Engine."""
        need("systemd-nspawn")
        # A /run of its own: nspawn leaves folders there, and complains if it is a disk's.
        private = 'mount -t tmpfs tmpfs /run && exec systemd-nspawn "$@"'
        # nspawn leaves its children when it is killed; in a PID namespace they go with it.
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        machine = [f"--directory={self.root}", f"--machine={name}", "--quiet", "--pipe"]
        machine += ["--register=no", "--keep-unit", *self.options]
        assigned = [f"--setenv={key}={value}" for key, value in environment.items()]
        notified = ["env", f"NOTIFY_SOCKET={self.manager}"] if self.manager else []
        nspawn = [*notified, *apart, "sh", "-c", private, "nspawn", *machine, *assigned]
        return [*nspawn, *INIT, *words]

    def stop(self, container: Container) -> None:
        """Do what `machinectl stop` and systemd's unit do: TERM to nspawn itself."""
        _ = container.init  # nspawn passes nothing on before the payload runs
        [nspawn] = children(container.client.pid)
        os.kill(nspawn, signal.SIGTERM)


class NspawnAsPid2(Nspawn):
    """systemd-nspawn with its own stub as PID 1 and pyinit as the stub's payload."""

    name = "nspawn-as-pid2"
    init_inside = 2
    options: tuple[str, ...] = ("--as-pid2",)


def runs(pid: int, program: Path) -> bool:
    """Whether a process runs this very file, whatever path it sees it under."""
    try:
        return os.path.samestat(os.stat(f"/proc/{pid}/exe"), program.stat())
    except (FileNotFoundError, ProcessLookupError):
        return False
