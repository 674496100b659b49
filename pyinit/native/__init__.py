"""The seam between the program and its interpreter: calls that exist twice.

In the frozen file they are built in (build/runtime/native.c): the start-up code of the file knows what Python
cannot, such as the mask it was started with; and what an init does thousands of times, waiting and reaping, takes no
more there than in a program in C. From source `fallback` does the same with what CPython offers.
"""

from __future__ import annotations

try:
    from _pyinit import (
        alone,
        close_range,
        fork_exec,
        getenv,
        open_terminal,
        reap,
        signal_descriptor,
        take_over,
        wait_and_reap,
        wait_signal,
        write_at_once,
    )
    from setproctitle import setproctitle as set_title
except ImportError:
    from pyinit.native.fallback import (
        alone,
        close_range,
        fork_exec,
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

__all__ = [
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
