"""The native interface: calls that are written in C in the frozen file, and in Python from source.

The frozen file has them built in (build/runtime/native.c). Its start-up code knows what Python cannot, such as the
signal mask that init was started with, and C waits and reaps, which an init may do thousands of times, as fast as an
init that is written in C. From source, `fallback` does the same with what CPython offers.
"""

from __future__ import annotations

from pyinit.native.spawn_request import SpawnError, SpawnRequest

try:
    from _pyinit import (
        block_signals,
        close_range,
        getenv,
        is_last_process,
        open_terminal,
        reap,
        signal_descriptor,
        wait_and_reap,
        wait_signal,
        write_nowait,
    )
    from _pyinit import fork_exec as _fork_exec
    from setproctitle import setproctitle as set_title
except ImportError:
    from pyinit.native.fallback import (
        block_signals,
        close_range,
        getenv,
        is_last_process,
        open_terminal,
        reap,
        set_title,
        signal_descriptor,
        wait_and_reap,
        wait_signal,
        write_nowait,
    )
    from pyinit.native.fallback import fork_exec as _fork_exec

__all__ = [
    "SpawnError",
    "SpawnRequest",
    "block_signals",
    "close_range",
    "fork_exec",
    "getenv",
    "is_last_process",
    "open_terminal",
    "reap",
    "set_title",
    "signal_descriptor",
    "wait_and_reap",
    "wait_signal",
    "write_nowait",
]

# For fork_exec: there is no such descriptor.
NONE = -1


def fork_exec(request: SpawnRequest) -> int:
    """Start a program and return its pid, once its exec has succeeded. Raises SpawnError."""
    pid, number, step = _fork_exec(
        request.argv,
        request.placement,
        NONE if request.terminal is None else request.terminal,
        request.mask,
        request.ignore_chld,
        request.death_signal,
        request.identity,
        request.unset,
        request.own_pid,
        request.assign,
    )
    if step:
        raise SpawnError(step, number)
    return pid
