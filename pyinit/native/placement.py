"""Where the payload is put: the values that _pyinit.fork_exec takes (build/runtime/spawn.h)."""

from __future__ import annotations

SAME_GROUP, OWN_GROUP, OWN_SESSION = range(3)
