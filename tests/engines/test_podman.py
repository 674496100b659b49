"""podman's own: a path named at the command line, containers.conf for every container, sd_notify."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.podman import Podman, PodmanStore
from tests.engines.support import run

pytestmark = pytest.mark.xdist_group("podman")
HANDLES_TERM = ("sh", "-c", "trap 'echo got TERM; exit 9' TERM; echo ready; while :; do sleep 0.05; done")
PID_1 = ("sh", "-c", "readlink /proc/1/exe; exit 4")


@pytest.fixture
def podman(storage: Path, podman_store: PodmanStore) -> Podman:
    """podman with the image that knows nothing of pyinit."""
    chosen = Podman(storage / "podman-own", podman_store)
    chosen.image = "bare:1"
    return chosen


def test_an_init_path_at_the_command_line(podman: Podman, frozen: Path) -> None:
    """`--init --init-path`: mounted as podman's own init would be."""
    podman.options = ("--init", f"--init-path={frozen}")
    assert podman.run(*PID_1) == (4, "/run/podman-init\n", "")


def test_containers_conf_says_what_init_means(podman: Podman) -> None:
    """`init_path`: `--init` alone is pyinit. (`init = true` is ignored by podman 4.3.)"""
    podman.options = ("--init",)
    assert podman.run(*PID_1) == (4, "/run/podman-init\n", "")


def test_without_an_init_pid_1_is_the_payload(podman: Podman) -> None:
    """So that the tests above tell something."""
    assert podman.run(*PID_1) == (4, "/bin/busybox\n", "")


@pytest.mark.parametrize("how", ["/sbin/init", "--stop-signal=37"])
def test_podman_stop_sends_rtmin_3_and_the_payload_gets_term(podman: Podman, frozen: Path, how: str) -> None:
    """podman-run(1): a container whose command is /sbin/init is taken for systemd, and stopped by RTMIN+3."""
    as_command = how == "/sbin/init"
    podman.options = (f"--volume={frozen}:{how}:ro",) if as_command else ("--init", how)
    with podman.container(*([how, "--"] if as_command else []), *HANDLES_TERM) as container:
        container.says("ready")
        stop_signal = run(*podman.store.client("inspect", "--format={{.Config.StopSignal}}", container.name)).stdout
        assert stop_signal == "37\n"
        podman.stop(container)
        assert container.ended()[:2] == (9, "ready\ngot TERM\n")


def test_a_locked_up_container(podman: Podman) -> None:
    """Nothing to be written, no capability, no new privilege, another user, two processes."""
    locks = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--user=1000:1000")
    podman.options = ("--init", *locks, "--pids-limit=2")
    assert podman.run("sh", "-c", "echo runs; exit 6") == (6, "runs\n", "")
    assert run(*podman.store.client("ps", "--all", "--quiet")).stdout == ""


@pytest.mark.parametrize("options", [(), ("--tty",)], ids=["pipes", "terminal"])
def test_the_user_of_u_can_open_its_streams(podman: Podman, options: tuple[str, ...]) -> None:
    """As that of podman's own `--user` can."""
    podman.options = ("--init", *options)
    script = ("sh", "-c", "echo works >>/dev/stdout; echo too >>/dev/stderr")
    code, output, errors = podman.run(*script, environment={"PYINIT_OPTIONS": "-u 1000:1000"})
    # With --tty podman warns that its own input is none.
    assert (code, (output + errors).split()[:2]) == (0, ["works", "too"])
