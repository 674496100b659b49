"""How Debian's tini, dumb-init and catatonit are told to be init: the words before the payload's."""

from __future__ import annotations

AS_PID1 = {"tini": ("--",), "dumb-init": ("--",), "catatonit": ("--",)}
# dumb-init cannot.
SUBREAPER = {"tini": ("-s", "--"), "catatonit": ("--",)}
# Where they are told to signal the payload's whole group; dumb-init does unless it is told otherwise.
WITH_GROUP = {"tini": ("-g", "--"), "catatonit": ("-g", "--")}
