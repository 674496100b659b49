"""`make run`: pyinit as PID 1 of a new PID namespace, over nginx or a command of the user's.

The environment variables PYINIT_RUN_CMD, PYINIT_RUN_ARGS and PYINIT_RUN_PYINIT hold the command, the options for pyinit
and the command that is pyinit, each as the user typed it.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools.namespace import NAMESPACE, OWN_USER_NAMESPACE

PROCESSES = ("ps", "-N", "-C", "ps", "-o", "pid,ppid,stat,args", "--forest")
PATIENCE = 20.0  # seconds until something that should happen has not happened
PAGE = "This page was served by nginx, and nginx was started by pyinit.\n"
CONFIGURATION = """\
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/pages;
    }}
}}
"""


# A command with any of these needs a shell. The backslash, because sh's own echo treats it differently from /bin/echo.
SHELL_SYNTAX = set("$`;&|<>()*?[]~#\\\n")
# What make tells the make below it; a `make` in the command would take CMD and -j from there.
FROM_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMERR", "MAKE_TERMOUT", "MFLAGS"}


def main() -> int:
    """Run the command, or show nginx; return pyinit's exit code."""
    pyinit = [*words("PYINIT", "dist/pyinit"), *words("ARGS")]
    command = os.environ.get("PYINIT_RUN_CMD", "")
    if not command.strip():
        return show_nginx(pyinit)
    return run_command([*pyinit, "--", *payload(command)])


def payload(command: str) -> list[str]:
    """Return the words of a command: `sh -c`, unless it is one program, which then is the payload itself."""
    if not SHELL_SYNTAX & {*command}:
        program, *arguments = words("CMD")
        if shutil.which(program):
            return [program, *arguments]
    return ["sh", "-c", "--", command]


def words(name: str, default: str = "") -> list[str]:
    """Return the words of one of make's variables, quotes removed as a shell would."""
    try:
        return shlex.split(os.environ.get(f"PYINIT_RUN_{name}", default))
    except ValueError as error:
        sys.exit(f"run: {name}: {error}")


def run_command(command: list[str]) -> int:
    """Run a command as PID 1, on the user's terminal; say with which code it has exited unless that is 0."""
    with namespace(command, stdin=None) as outer:
        # The terminal sends ^C to the whole group: it is for the command.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: os.kill(first_child(outer), signal.SIGTERM))
        code = _as_exit_code(outer.wait())
    if code:
        print(f"run: exit code {code}", file=sys.stderr)
    return code


def show_nginx(pyinit: list[str]) -> int:
    """Start nginx with two workers, fetch a page, show the processes, stop it with one TERM."""
    with tempfile.TemporaryDirectory(prefix="pyinit-run-") as name:
        folder, port = Path(name), free_port()
        prepare(folder, port)
        command = ["nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
        with namespace([*pyinit, "--", *command], stdin=subprocess.DEVNULL) as outer:
            say(f"pyinit as PID 1, over: {shlex.join(command)}")
            init = first_child(outer)
            say(f"GET http://127.0.0.1:{port}/ gives: {fetch(port, outer).strip()}")
            say("processes, with their PIDs inside:")
            # With --root: in a chroot, /proc of the mount namespace's own root would show the host's processes.
            inside = ["nsenter", "--target", str(init), "--pid", "--mount", "--root"]
            if os.geteuid():
                inside += ["--user", "--preserve-credentials"]
            subprocess.run([*inside, *PROCESSES], check=True)
            say("one TERM to PID 1")
            begun = time.monotonic()
            os.kill(init, signal.SIGTERM)
            code = _as_exit_code(outer.wait(PATIENCE))
            say(f"all gone after {time.monotonic() - begun:.2f} s; exit code {code}")
            return code


def prepare(folder: Path, port: int) -> None:
    """Write a configuration and a page; the workers run as another user and must read it."""
    folder.chmod(0o755)
    (folder / "pages").mkdir()
    (folder / "pages" / "index.html").write_text(PAGE)
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port))


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def namespace(command: list[str], stdin: int | None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command as PID 1; yield the `unshare` that has started it."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in FROM_MAKE and not name.startswith("PYINIT_RUN_")
    }
    outer = subprocess.Popen([*unshare(), *command], stdin=stdin, env=environment)
    try:
        yield outer
    finally:
        # --kill-child: with unshare ends PID 1, and with PID 1 everything in its namespace.
        outer.kill()
        outer.wait()


def unshare() -> list[str]:
    """Return the words that start a program as PID 1; exit with one line if that is refused here."""
    command = [*NAMESPACE]
    if os.geteuid():
        # An ordinary user has the right to do so in a user namespace.
        command += OWN_USER_NAMESPACE
        needed = "root, or a user namespace, which a chroot and most containers refuse"
    else:
        needed = "CAP_SYS_ADMIN; in a container: docker run --privileged"
    if not root_is_mount_point():
        # The propagation of such a root cannot be changed; unshare then makes only /proc private, which is enough.
        command += ["--propagation", "unchanged"]
    tried = subprocess.run([*command, "true"], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if tried.returncode:
        sys.exit(f"run: no PID namespace: {tried.stderr.strip()} (it needs {needed})")
    return command


def root_is_mount_point() -> bool:
    """Return False in a chroot into an ordinary directory: mountinfo has only what is mounted below it."""
    mounts = Path("/proc/self/mountinfo")
    if not mounts.exists():
        sys.exit("run: /proc is not mounted")
    return any(line.split()[4] == "/" for line in mounts.read_text().splitlines())


def first_child(outer: subprocess.Popen[bytes]) -> int:
    """Wait for unshare's child and return its PID."""
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    for _ in attempts("a process in the namespace", outer):
        if pids := children.read_text().split():
            return int(pids[0])
    raise AssertionError("attempts() raises")


def fetch(port: int, outer: subprocess.Popen[bytes]) -> str:
    """The page, as soon as nginx answers."""
    for _ in attempts("an answer from nginx", outer):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        with contextlib.suppress(ConnectionRefusedError), contextlib.closing(connection):
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
    raise AssertionError("attempts() raises")


def attempts(what: str, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Yield every 20 ms; exit with a message when the process has ended or patience has."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"run: {what} did not come: unshare or pyinit exited with {_as_exit_code(process.returncode)}")
        yield
        time.sleep(0.02)
    sys.exit(f"run: {what} did not come within {PATIENCE:.0f} s")


def say(text: str) -> None:
    """Print a line of our own, told apart from what the programs print."""
    print(f"==> {text}", flush=True)


def _as_exit_code(status: int) -> int:
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(main())
