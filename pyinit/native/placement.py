"""Where the payload is started: the values that fork_exec takes (enum placement in build/runtime/spawn.h)."""

from __future__ import annotations

from enum import IntEnum


class Placement(IntEnum):
    """The process group and the session that the payload is started in."""

    SAME_GROUP = 0
    OWN_GROUP = 1
    OWN_SESSION = 2
