"""Where a program is looked for that is named without a folder, if there is no PATH."""

from __future__ import annotations

# musl's execvp's, and so the frozen file's (build/runtime/spawn.c). glibc's (confstr(3), _CS_PATH) is the same without
# /usr/local/bin, which is where images put what they are made for.
DEFAULT_PATH = b"/usr/local/bin:/bin:/usr/bin"
