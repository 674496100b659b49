"""The seam between the program and its interpreter: four calls that exist twice.

In the frozen file they are built in (build/boot/native.c): the start-up code of the file knows what Python
cannot, such as the mask it was started with. From source `unfrozen` does the same with what CPython offers.
"""

from __future__ import annotations

try:
    from _pyinit import close_range, fork_exec, getenv, take_over

    FROZEN = True
except ImportError:
    from pyinit.unfrozen import close_range, fork_exec, getenv, take_over

    FROZEN = False

__all__ = ["FROZEN", "close_range", "fork_exec", "getenv", "take_over"]
