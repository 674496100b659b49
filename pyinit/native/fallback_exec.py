"""The last steps of the payload's start, from source: its environment, and execvp(3) as in the frozen file."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress

from pyinit import files
from pyinit.native.search_path import DEFAULT_PATH

EXEC_FORMAT_SHELL = b"/bin/sh"
# limits.h. execvp(3) refuses names of more than NAME_MAX bytes, and skips elements of PATH of PATH_MAX or more.
NAME_MAX, PATH_MAX = 255, 4096
# After one of these errors execvp(3) tries the next element of PATH: glibc's list, see build/runtime/spawn.c.
SEARCH_GOES_ON = (errno.EACCES, errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV, errno.ETIMEDOUT)
# Bytes of a file in which a zero byte shows that it is no script, as in build/runtime/spawn.c.
HEAD = 128


def set_environment(unset: list[bytes], own_pid: list[bytes], assign: list[bytes]) -> None:
    """Turn this process's environment into the payload's; the arguments are those of `fork_exec`."""
    for name in unset:
        os.unsetenv(name)
    _undo_coercion()
    for name in own_pid:
        if os.environb.get(name) == b"%d" % os.getppid():
            os.putenv(name, b"%d" % os.getpid())
    for pair in assign:
        name, _, value = pair.partition(b"=")
        # A name may occur twice, and putenv replaces only the first.
        os.unsetenv(name)
        os.putenv(name, value)


def _undo_coercion() -> None:
    # PEP 538: in the C locale CPython sets LC_CTYPE for itself and its children, even if the user has set it.
    try:
        entries = files.read("/proc/self/environ", files.MOST).split(b"\0")
    except OSError:
        return
    values = [entry.removeprefix(b"LC_CTYPE=") for entry in entries if entry.startswith(b"LC_CTYPE=")]
    if values:
        os.putenv(b"LC_CTYPE", values[0])
    else:
        os.unsetenv(b"LC_CTYPE")


def execute(argv: list[bytes], become: Callable[[], None] | None) -> None:
    """Search and execute a program like execvp(3), with the current environment.

    `become` is called once, right before the first exec that may succeed; files that exec would surely refuse are then
    not tried. Raises OSError with the most telling error of the search.
    """
    if not argv[0]:
        # os.execv would raise ValueError.
        raise FileNotFoundError(errno.ENOENT, "")
    found = errno.ENOENT
    for path in _candidates(argv[0]):
        number = 0
        if become:
            number = _refusal(path)
            if not number:
                become()
                become = None
        number = number or _exec(path, argv)
        if number not in SEARCH_GOES_ON:
            found = number
            break
        if found != errno.EACCES:
            found = number
    raise OSError(found, "")


def _refusal(path: bytes) -> int:
    """Return the errno with which exec would surely refuse a file and the search go on; 0 if it may succeed."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return error.errno if error.errno in SEARCH_GOES_ON else 0
    return 0 if stat.S_ISREG(mode) and mode & 0o111 else errno.EACCES


def _exec(path: bytes, argv: list[bytes]) -> int:
    """Return the errno if the exec has failed. A text without #! is run by the shell, as by execvp(3)."""
    try:
        os.execv(path, argv)
    except OSError as error:
        number = error.errno or errno.EIO
    if number == errno.ENOEXEC and not _is_binary(path):
        with suppress(OSError):
            os.execv(EXEC_FORMAT_SHELL, [EXEC_FORMAT_SHELL, path, *argv[1:]])
    return number


def _is_binary(path: bytes) -> bool:
    try:
        return b"\0" in files.read(path, HEAD).partition(b"\n")[0]
    except OSError:
        return False


def _candidates(name: bytes) -> list[bytes]:
    """Return the paths that execvp(3) tries. Raises OSError for a name that it refuses."""
    if b"/" in name:
        return [name]
    if len(name) > NAME_MAX:
        raise OSError(errno.ENAMETOOLONG, "")
    path = os.environb.get(b"PATH")
    folders = (DEFAULT_PATH if path is None else path).split(b":")
    return [folder + b"/" + name if folder else name for folder in folders if len(folder) < PATH_MAX]
