"""The folders in which a program without a slash in its name is searched if PATH is not set."""

from __future__ import annotations

# As musl's execvp, and so the frozen file (build/runtime/spawn.c). glibc's default (confstr(3), _CS_PATH) lacks
# /usr/local/bin, where images put the program that they are made for.
DEFAULT_PATH = b"/usr/local/bin:/bin:/usr/bin"
