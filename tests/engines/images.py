"""The two images: pyinit and static busybox alone, and a small Debian with nginx and Python."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

from tests.engines.support import run
from tools.debian_root import debian_tar

BUSYBOX = Path("/bin/busybox")
COMMANDS = ("sh", "cat", "echo", "env", "false", "ls", "ps", "readlink", "seq", "sleep", "true")
# How pyinit is called in them.
INIT = ("/pyinit", "-g", "--")
ENTRYPOINT = f"ENTRYPOINT {json.dumps(INIT)}"
# Mount points and the folder without which systemd-nspawn takes a root for no root.
FOLDERS = ("dev", "etc", "proc", "run", "sys", "tmp", "usr", "var")


# Reached through a socket in its file system: no container here has a network. /slow sends its first
# line, takes its time, and sends the second one.
NGINX = """\
load_module modules/ngx_http_echo_module.so;
daemon off;
worker_processes 2;
pid /run/nginx.pid;
error_log stderr;
events { }
http {
    access_log off;
    client_body_temp_path /run/body;
    proxy_temp_path /run/proxy;
    fastcgi_temp_path /run/fastcgi;
    uwsgi_temp_path /run/uwsgi;
    scgi_temp_path /run/scgi;
    server {
        listen unix:/run/nginx.sock;
        location / { echo "served"; }
        location /slow { echo "begun"; echo_flush; echo_sleep 0.5; echo "finished"; }
    }
}
"""


def bare_root(root: Path, init: Path) -> Path:
    """Make a root file system of pyinit and static busybox; returns the folder."""
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
    (root / "bin").mkdir()
    # unshare brings no /dev; a shell wants this for what it runs in the background.
    os.mknod(root / "dev" / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    shutil.copy(BUSYBOX.resolve(), root / "bin" / "busybox")
    for command in COMMANDS:
        (root / "bin" / command).symlink_to("busybox")
    shutil.copy(init, root / "pyinit")
    return root


def debian_root(root: Path, init: Path) -> Path:
    """Make a Debian root file system with pyinit, nginx and Python in it; returns the folder."""
    root.mkdir(parents=True)
    run("tar", "-C", root, "-xf", debian_tar())
    shutil.copy(init, root / "pyinit")
    (root / "etc" / "nginx" / "nginx.conf").write_text(NGINX)
    return root


def packed(root: Path, tar: Path) -> Path:
    """Pack a root file system for `docker import` and `podman import`; returns the tar."""
    run("tar", "-C", root, "-cf", tar, ".")
    return tar


def context(folder: Path, init: Path) -> Path:
    """Make what `docker build` and `podman build` get: the file, busybox and a Dockerfile."""
    folder.mkdir(parents=True)
    shutil.copy(init, folder / "pyinit")
    shutil.copy(BUSYBOX.resolve(), folder / "busybox")
    links = " && ".join(f"/bin/busybox ln -s busybox /bin/{command}" for command in COMMANDS)
    (folder / "Dockerfile").write_text(
        "FROM scratch\n"
        "COPY busybox /bin/busybox\n"
        "COPY pyinit /pyinit\n"
        f'RUN ["/bin/busybox", "sh", "-c", "{links}"]\n'
        f"{ENTRYPOINT}\n"
    )
    return folder
