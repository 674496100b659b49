"""systemd's own parser of messages, from the library that its programs share (Debian's libsystemd-shared)."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

from tests.support.requirements import absent

FOLDERS = ("/usr/lib/x86_64-linux-gnu/systemd", "/usr/lib/systemd")


def splitter() -> Callable[[bytes], list[bytes]]:
    """Return the function that splits a message as systemd and nspawn do; it returns [] for one that they refuse."""
    found = [path for folder in FOLDERS for path in Path(folder).glob("libsystemd-shared-*.so")]
    if not found:
        absent("libsystemd-shared is not installed")
    library = ctypes.CDLL(str(found[0]))

    def split(message: bytes) -> list[bytes]:
        words = ctypes.POINTER(ctypes.c_char_p)()
        if library.strv_split_newlines_full(ctypes.byref(words), ctypes.c_char_p(message), 0) < 0:
            return []
        result: list[bytes] = []
        while (word := words[len(result)]) is not None:
            result.append(word)
        library.strv_free(words)
        return result

    return split
