"""docker's own: what the daemon thinks of its init, daemon.json, stop signals, a locked-up container."""

from __future__ import annotations

import json
import re
import shutil
import signal
from pathlib import Path

import pytest

from tests.engines.docker import Daemon, Docker, DockerInit
from tests.engines.support import run, until
from tests.support import procfs
from tests.support.wide import wide
from tools.tree import ROOT

pytestmark = pytest.mark.xdist_group("docker")


@pytest.fixture
def docker(storage: Path, daemon: Daemon) -> Docker:
    """docker with the image that `docker build` made."""
    return Docker(storage / "docker-own", daemon)


def test_docker_info_takes_pyinit_for_an_init_it_knows(daemon: Daemon, frozen: Path) -> None:
    """The commit that --version names arrives, and the daemon's log has no complaint of it."""
    info = json.loads(daemon.do("info", "--format={{json .}}"))
    named = re.search(r" - git\.(\w+)$", run(frozen, "--version").stdout.strip())
    assert info["InitBinary"] == str(frozen)
    assert named
    assert info["InitCommit"]["ID"] == named[1]
    assert not any("init" in warning for warning in info["Warnings"] or [])
    assert not re.search(r"level=warning.*init version", daemon.log.read_text())


def test_daemon_json_makes_pyinit_every_containers_init(storage: Path, frozen: Path, bare: Path) -> None:
    """`init` and `init-path`: no option at `docker run` any more, and under docker's own name."""
    settings = storage / "daemon.json"
    named = shutil.copy(frozen, storage / "docker-init")
    settings.write_text(json.dumps({"init": True, "init-path": str(named)}))
    daemon = Daemon(storage / "docker-json", f"--config-file={settings}")
    try:
        assert json.loads(daemon.do("info", "--format={{json .}}"))["InitCommit"]["ID"] != "N/A"
        daemon.add_bare(bare)
        engine = Docker(storage / "docker-json-containers", daemon)
        engine.image = "bare:1"
        code, output, errors = engine.run("sh", "-c", "readlink /proc/1/exe; exit 4")
        assert (code, output, errors) == (4, "/sbin/docker-init\n", "")
    finally:
        daemon.close()


def test_docker_stop_sends_the_payload_the_stop_signal_of_the_image(docker: Docker) -> None:
    """`docker stop` sends what the container was asked to be stopped by."""
    docker.options = ("--stop-signal=QUIT",)
    with docker.container("sh", "-c", "echo ready; exec sleep 1000") as container:
        container.says("ready")
        docker.stop(container)
        assert container.wait() == 128 + signal.SIGQUIT


@pytest.mark.parametrize("kind", [Docker, DockerInit])
def test_docker_runs_the_file_with_every_lock_on(storage: Path, daemon: Daemon, kind: type[Docker]) -> None:
    """Nothing to be written, no capability, no new privilege, another user, two processes."""
    docker = kind(storage / f"{kind.name}-locked", daemon)
    locks = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user=1000:1000")
    docker.options = (*kind.options, *locks, "--pids-limit=2")
    code, output, errors = docker.run("sh", "-c", "echo runs; exit 6")
    assert (code, output, errors) == (6, "runs\n", "")


def test_docker_runs_the_file_in_a_detached_container(docker: Docker) -> None:
    """`run -d`, `logs`, `stop`, `wait`, `start` again: the same, without a client that waits."""
    do, name = docker.daemon.do, "pyinit-detached"
    script = "trap 'echo stopping; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    try:
        do("run", "-d", f"--name={name}", "--network=none", docker.image, "sh", "-c", script)
        for times in (1, 2):
            until(lambda: do("logs", name).count("ready") == times, "ready")  # noqa: B023
            do("stop", "--time=50", name)
            assert do("wait", name) == "5\n"
            assert do("logs", name).split() == ["ready", "stopping"] * times
            if times == 1:
                do("start", name)
    finally:
        docker.remove(name)


def test_docker_runs_the_file_from_a_volume(storage: Path, daemon: Daemon) -> None:
    """As in a pod: one container copies pyinit into a volume, another that lacks it starts with it."""
    shared, copy = storage / "shared", ("/bin/busybox", "cp", "/pyinit", "/shared/pyinit")
    shared.mkdir()
    docker = Docker(storage / "docker-shared", daemon)
    docker.options = (f"--volume={shared}:/shared",)
    assert docker.run(*copy) == (0, "", "")
    docker.image = "bare:1"
    words = ("/shared/pyinit", "-g", "--", "sh", "-c", "readlink /proc/1/exe; exit 8")
    assert docker.run(*words) == (8, "/shared/pyinit\n", "")


def test_dockers_log_has_the_line_of_a_missing_program(storage: Path, daemon: Daemon) -> None:
    """With --init docker itself reports no error: pyinit's line is all there is (moby #30227)."""
    name = "pyinit-missing"
    run_it = ["run", "--detach", f"--name={name}", "--network=none", "--init", "bare:1", "no-such"]
    docker = DockerInit(storage / "docker-missing", daemon)
    try:
        daemon.do(*run_it)
        assert daemon.do("wait", name) == "127\n"
        state = json.loads(daemon.do("inspect", "--format={{json .State}}", name))
        assert state["Error"] == ""
        [line] = run(*daemon.client("logs", name)).stderr.splitlines()
        assert line.startswith("pyinit: no-such: ")
    finally:
        docker.remove(name)


@pytest.mark.parametrize("kind", [Docker, DockerInit])
def test_under_docker_few_capabilities_are_enough_for_u(storage: Path, daemon: Daemon, kind: type[Docker]) -> None:
    """Its streams can be opened, and `docker stop` reaches it; KILL is not among them."""
    docker = kind(storage / f"{kind.name}-user", daemon)
    few = ("--cap-drop=ALL", "--cap-add=SETUID", "--cap-add=SETGID", "--cap-add=CHOWN")
    docker.options = (*kind.options, *few)
    script = "trap 'echo stopping >>/dev/stderr; exit 5' TERM; echo ready >>/dev/stdout; while :; do sleep 0.05; done"
    with docker.container("sh", "-c", script, environment={"PYINIT_OPTIONS": "-u 1000:1000"}) as container:
        container.says("ready")
        docker.stop(container)
        code, output, errors = container.ended()
    assert (code, output) == (5, "ready\n")
    # With -g, the shell also says what became of its sleep.
    assert "stopping" in errors.splitlines()


# What runc calls between the profile and the container's program, and busybox's shell, besides what pyinit does.
PROGRAM = {
    *(
        "brk",
        "capset",
        "clock_nanosleep",
        "dup",
        "epoll_create1",
        "epoll_ctl",
        "epoll_pwait",
        "eventfd2",
        "faccessat2",
        "fstatfs",
    ),
    *("futex", "getcwd", "getegid", "getgid", "getpgrp", "getrandom", "getuid", "lseek", "lstat", "madvise"),
    *(
        "mprotect",
        "munmap",
        "nanosleep",
        "newfstatat",
        "openat",
        "pipe",
        "pread64",
        "prlimit64",
        "readlink",
        "readlinkat",
        "rseq",
    ),
    *(
        "rt_sigreturn",
        "sched_getaffinity",
        "sched_yield",
        "select",
        "set_robust_list",
        "setgid",
        "setuid",
        "sigaltstack",
    ),
    *("tgkill", "umask", "vfork", "writev"),
}


@pytest.fixture(params=["the published profile", "docker's own", "none"])
def profile(request: pytest.FixtureRequest, storage: Path) -> str:
    """What docker is told of seccomp."""
    if request.param == "docker's own":
        return "no-new-privileges"
    if request.param == "none":
        return "seccomp=unconfined"
    profile = json.loads((ROOT / "examples" / "seccomp" / "pyinit.json").read_text())
    profile["syscalls"].append({"names": sorted(PROGRAM), "action": "SCMP_ACT_ALLOW"})
    file = storage / "seccomp.json"
    file.write_text(json.dumps(profile))
    return f"seccomp={file}"


@pytest.mark.parametrize("kind", [Docker, DockerInit])
@pytest.mark.parametrize("option", wide(["-v", "-g", "-a", "-c", "-u 65534:65534", "-S"], "-g"))
def test_under_dockers_seccomp_profiles_stops_and_processes_left_are_handled(
    storage: Path, daemon: Daemon, kind: type[Docker], profile: str, option: str
) -> None:
    """The payload handles TERM, and what it leaves gets TERM or KILL, whatever the profile."""
    docker = kind(storage / f"{kind.name}-seccomp", daemon)
    docker.options = (*kind.options, f"--security-opt={profile}")
    script = "(trap '' TERM; sleep 600) & trap 'echo stopping; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    options = {"PYINIT_OPTIONS": f"{option} -vv -t 1"}
    with docker.container("sh", "-c", script, environment=options) as container:
        container.says("ready")
        filtered = procfs.status(container.init)["Seccomp"]
        docker.stop(container)
        code, output, errors = container.ended()
    assert (code, output) == (5, "ready\nstopping\n")
    assert "KILL: " in errors
    assert "not permitted" not in errors
    assert filtered == ("0" if profile == "seccomp=unconfined" else "2")
