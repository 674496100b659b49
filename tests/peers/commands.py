"""How Debian's tini, dumb-init and catatonit are told to be init: the words before the payload's."""

from __future__ import annotations

AS_PID1 = {"tini": ("--",), "dumb-init": ("--",), "catatonit": ("--",)}
# dumb-init cannot.
SUBREAPER = {"tini": ("-s", "--"), "catatonit": ("--",)}
