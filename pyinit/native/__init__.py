"""The seam between the program and its interpreter: calls that exist twice.

In the frozen file they are built in (build/runtime/native.c): the start-up code of the file knows what Python
cannot, such as the mask it was started with; and what an init does thousands of times, waiting and reaping, takes no
more there than in a program in C. From source `fallback` does the same with what CPython offers.
"""

from __future__ import annotations

from pyinit.native.spawn_request import SpawnError, SpawnRequest

try:
    from _pyinit import (
        alone,
        close_range,
        getenv,
        open_terminal,
        reap,
        signal_descriptor,
        take_over,
        wait_and_reap,
        wait_signal,
        write_at_once,
    )
    from _pyinit import fork_exec as _fork_exec
    from setproctitle import setproctitle as set_title
except ImportError:
    from pyinit.native.fallback import (
        alone,
        close_range,
        getenv,
        open_terminal,
        reap,
        set_title,
        signal_descriptor,
        take_over,
        wait_and_reap,
        wait_signal,
        write_at_once,
    )
    from pyinit.native.fallback import fork_exec as _fork_exec

__all__ = [
    "SpawnError",
    "SpawnRequest",
    "alone",
    "close_range",
    "fork_exec",
    "getenv",
    "open_terminal",
    "reap",
    "set_title",
    "signal_descriptor",
    "take_over",
    "wait_and_reap",
    "wait_signal",
    "write_at_once",
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
