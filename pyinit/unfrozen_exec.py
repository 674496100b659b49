"""The last step to the payload, from source: its environment, and execvp(3) as the frozen file has it."""

from __future__ import annotations

import errno
import os

from pyinit import files
from pyinit.searchpath import DEFAULT_PATH

EXEC_FORMAT_SHELL = b"/bin/sh"
HEAD = 128  # bytes that tell a text from a program of another machine's, as in build/boot/spawn.c


def set_environment(unset: list[bytes], own_pid: list[bytes], assign: list[bytes]) -> None:
    """Makes this process's environment the payload's; the arguments are fork_exec's."""
    for name in unset:
        os.unsetenv(name)
    _undo_coercion()
    for name in own_pid:
        if os.environb.get(name) == b"%d" % os.getppid():
            os.putenv(name, b"%d" % os.getpid())
    for pair in assign:
        name, _, value = pair.partition(b"=")
        # A name may be there twice, and putenv replaces the first alone.
        os.unsetenv(name)
        os.putenv(name, value)


def _undo_coercion() -> None:
    # PEP 538: in the C locale CPython sets LC_CTYPE for itself and its children, even over a value of the user's.
    try:
        entries = files.read("/proc/self/environ", files.MOST).split(b"\0")
    except OSError:
        return
    values = [entry.removeprefix(b"LC_CTYPE=") for entry in entries if entry.startswith(b"LC_CTYPE=")]
    if values:
        os.putenv(b"LC_CTYPE", values[0])
    else:
        os.unsetenv(b"LC_CTYPE")


def execute(argv: list[bytes]) -> None:
    """execvp(3), but with the environment exactly as it stands and with the error that tells most."""
    found: OSError = FileNotFoundError(errno.ENOENT, "")
    if not argv[0]:
        # os.execv has a ValueError of its own for this.
        raise found
    for path in _candidates(argv[0]):
        try:
            os.execv(path, argv)
        except OSError as error:
            if error.errno == errno.ENOEXEC:
                _interpret(path, argv, error)
            elif error.errno == errno.EACCES or b"/" in argv[0]:
                found = error
            elif error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise
    raise found


def _interpret(path: bytes, argv: list[bytes], error: OSError) -> None:
    if _is_binary(path):
        raise error
    try:
        os.execv(EXEC_FORMAT_SHELL, [EXEC_FORMAT_SHELL, path, *argv[1:]])
    except OSError:
        raise error from None


def _is_binary(path: bytes) -> bool:
    try:
        return b"\0" in files.read(path, HEAD).partition(b"\n")[0]
    except OSError:
        return False


def _candidates(name: bytes) -> list[bytes]:
    if b"/" in name:
        return [name]
    path = os.environb.get(b"PATH")
    folders = (DEFAULT_PATH if path is None else path).split(b":")
    return [folder + b"/" + name if folder else name for folder in folders]
