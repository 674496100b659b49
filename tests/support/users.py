"""Users that no other process has."""

from __future__ import annotations

import os

USERS = 1 << 30  # above the users of a system and the subordinate ones of container engines


def user_of_its_own() -> list[str]:
    """Return the command that starts a program as a user that no other process has, which may read what root may.

    The kernel counts the pending signals of all processes of a user together (RLIMIT_SIGPENDING): with root's queue
    full, tests beside this one could not send a signal, nor this one more than they left.
    """
    reader = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return ["setpriv", f"--reuid={USERS + os.getpid()}", "--clear-groups", *reader]
