"""The words that tests run: which pyinit, where, over what."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.compiled import compiled as compiled_from
from tools.namespace import NAMESPACE, PATH
from tools.tree import ROOT

PROGRAMS = {
    "source": [sys.executable, "-m", "pyinit"],
    "frozen": [str(ROOT / "dist" / "pyinit")],
}
PLACES: Mapping[str, Sequence[str]] = {"pid1": NAMESPACE, "subreaper": ()}
ENVIRONMENT: Mapping[str, str] = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"}
# As engines do it: PID 1 leads the session that the terminal belongs to.
LEADER = (*NAMESPACE, "setsid", "--ctty")
# The words that start a program as somebody without any right.
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
# As PID 1 where no /proc is mounted.
WITHOUT_PROC = [
    *("/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount"),
    *("sh", "-c", 'umount -l /proc && exec "$@"', "sh"),
]
# proc(5): such a mount has processes and nothing else; or what stands in loadavg's place is not it.
WITHOUT_THE_NEWEST_PID = ("mount -t proc -o subset=pid proc /proc", "mount --bind /dev/null /proc/loadavg")
# kill(2) is then refused for processes of other users; a child with the user id of one can still signal it.
WITHOUT_KILL = ("setpriv", "--bounding-set=-kill", "--inh-caps=-all")
# No signal can be sent to another user then; see `as_nobody`.
WITHOUT_KILL_AND_SETUID = ("setpriv", "--bounding-set=-kill,-setuid", "--inh-caps=-all")
# For the shell of a payload: it goes on when init has done all there was to do. Init sleeps then, and again after its
# first wait, of a millisecond (pyinit/event_loop.py).
_ASLEEP = 'until read -r _ _ state _ </proc/$PPID/stat && [ "$state" = S ]; do :; done'
INIT_WAITS = f"{_ASLEEP}; sleep 0.01; {_ASLEEP};"
PAYLOADS = ROOT / "tests" / "payloads"
COMPILER = ("gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror")
Word = str | bytes


def compiled(name: str) -> Path:
    """Compile payloads/NAME.c, unless that has been done; return the program."""
    return compiled_from(PAYLOADS / f"{name}.c", COMPILER)


def payload(name: str, *words: str) -> list[str]:
    """Return the command that runs payloads/NAME.c or payloads/NAME.py."""
    script = PAYLOADS / f"{name}.py"
    if script.exists():
        return [sys.executable, "-I", "-S", str(script), *words]
    return [str(compiled(name)), *words]


def as_nobody(folder: Path) -> list[str]:
    """Return the words that start a program as user 65534 without the capability SETUID: by a set-user-ID file."""
    file = folder / "setpriv"
    shutil.copy("/usr/bin/setpriv", file)
    os.chown(file, 65534, 0)
    file.chmod(0o4755)
    return [str(file), "--reuid=65534"]


def with_mount(script: str) -> list[str]:
    """Return the command that starts a program in a mount namespace, after a script."""
    return ["/usr/bin/unshare", "--mount", *shell(f'{script} && exec "$@"')]


def shell(script: str, *words: str) -> list[str]:
    """Return the command that runs a shell script; `words` are its $1, $2 ..."""
    return ["/bin/sh", "-c", script, "sh", *words]
