"""The eight cases of the write-up "docker-and-pid1": who ends at `docker stop`, and how.

docs/docker-and-pid1.md has them as a table.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engines.docker import Daemon, Docker
from tools.tree import ROOT

SERVICE = ROOT / "tests" / "payloads" / "service.py"
HANDLED, NOT_HANDLED = ["--handle-term"], list[str]()
KILLED, TERMINATED = 128 + signal.SIGKILL, 128 + signal.SIGTERM
TIMEOUT = 1  # seconds that `docker stop` waits where only KILL helps; docker's own default is 10
BARE = {"python_noterm_bare": (NOT_HANDLED, -signal.SIGTERM), "python_term_bare": (HANDLED, 0)}
ALONE = {
    "python_noterm_docker_noinit": (NOT_HANDLED, False, KILLED),
    "python_term_docker_noinit": (HANDLED, False, 0),
    "python_noterm_docker_init": (NOT_HANDLED, True, TERMINATED),
    "python_term_docker_init": (HANDLED, True, 0),
}
SEVERAL = {
    "multi_python_docker_noinit": (False, KILLED),
    "multi_python_docker_init": (True, TERMINATED),
}
NAMES = ("first", "second", "third")


@pytest.mark.parametrize("options, code", BARE.values(), ids=BARE)
def test_a_program_without_docker_ends_by_term_as_documented(options: list[str], code: int) -> None:
    """Outside a container TERM ends a Python program at once; one with a handler logs it."""
    command = [sys.executable, "-I", str(SERVICE), "only", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "only is ready\n"
        process.terminate()
        logged = process.stdout.read()
    assert (process.returncode, logged) == (code, "only got TERM\n" if options else "")


@pytest.fixture
def docker(storage: Path, daemon: Daemon, docker_debian: str) -> Docker:
    """docker with the Debian image."""
    chosen = Docker(storage / "eight-cases", daemon)
    chosen.image = docker_debian
    return chosen


@pytest.mark.xdist_group("docker")
@pytest.mark.parametrize("options, has_init, code", ALONE.values(), ids=ALONE)
def test_one_program_in_docker_ends_by_term_as_documented(
    docker: Docker, options: list[str], has_init: bool, code: int
) -> None:
    """As PID 1 a program without a handler never gets TERM; under pyinit it does, as everywhere."""
    logged = stopped(docker, service("only", options), has_init, ["only"], code)
    assert logged == (["only got TERM"] if options else [])


@pytest.mark.xdist_group("docker")
@pytest.mark.parametrize("has_init, code", SEVERAL.values(), ids=SEVERAL)
def test_several_programs_in_docker_end_by_term_as_documented(docker: Docker, has_init: bool, code: int) -> None:
    """A shell started them and passes nothing on; with `pyinit -g` each of them gets its TERM."""
    started = [f"{shlex.join(service(name, HANDLED))} &" for name in NAMES]
    logged = stopped(docker, ["sh", "-c", "\n".join([*started, "wait"])], has_init, NAMES, code)
    assert logged == (sorted(f"{name} got TERM" for name in NAMES) if has_init else [])


def service(name: str, options: list[str]) -> list[str]:
    """The command that runs the program inside, where its file is not."""
    return ["python3", "-c", SERVICE.read_text(), name, *options]


def stopped(docker: Docker, words: Sequence[str], has_init: bool, names: Sequence[str], code: int) -> list[str]:
    """Run the case and stop it; what was logged after all were ready, sorted.

    A time-out of docker's that can never pass, or must: so `code` tells which it was.
    """
    docker.options = () if has_init else ("--entrypoint=/usr/bin/env",)
    with docker.container(*words) as container:
        for name in names:
            container.says(f"{name} is ready")
        begun = time.monotonic()
        docker.stop(container, TIMEOUT if code == KILLED else 50)
        took = time.monotonic() - begun
        ended, output, _ = container.ended()
    assert ended == code
    assert took >= TIMEOUT or code != KILLED
    return sorted(line for line in output.splitlines() if not line.endswith("is ready"))
