"""hang FOLDER: mounts a file system there, in a mount namespace of its own, where no file is ever opened.

Every name is a program's. Writes "mounted", and "open" when one is to be opened. Ends with its standard input, and the
file system with it.
"""

from __future__ import annotations

import ctypes
import os
import select
import stat
import struct
import sys

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
# linux/fuse.h: opcodes, the heads of requests and answers, fuse_attr.
LOOKUP, GETATTR, OPEN, INIT = 1, 3, 14, 26
REQUEST, ANSWER, ATTRIBUTES = struct.Struct("<IIQQIIII"), struct.Struct("<IiQ"), struct.Struct("<6Q10I")
VERSION = struct.Struct("<IIIIHHIIHH8I").pack(7, 31, 4096, 0, 1, 1, 4096, 1, 0, 0, *[0] * 8)
ROOT, FILE = 1, 2
FOREVER = 1 << 32
ENOSYS = 38


def attributes(node: int) -> bytes:
    """Those of a folder or of a program."""
    mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o755
    return ATTRIBUTES.pack(node, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(code: int, node: int) -> bytes | None:
    """What is said to a request; None: nothing is known of it."""
    if code == INIT:
        return VERSION
    if code == LOOKUP:
        return struct.pack("<QQQQII", FILE, 0, FOREVER, FOREVER, 0, 0) + attributes(FILE)
    if code == GETATTR:
        return struct.pack("<QII", FOREVER, 0, 0) + attributes(node)
    return None


def serve(device: int) -> None:
    """Answer all but OPEN until the end of the input."""
    while True:
        ready = select.select([0, device], [], [])[0]
        if 0 in ready:
            return
        _, code, unique, node, *_ = REQUEST.unpack_from(os.read(device, 1 << 16))
        if code == OPEN:
            print("open", flush=True)
            continue
        said = answer(code, node)
        os.write(device, ANSWER.pack(ANSWER.size + len(said or b""), 0 if said else -ENOSYS, unique) + (said or b""))


def main(folder: str) -> None:
    """Mount, and serve."""
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if (
        libc.unshare(CLONE_NEWNS)
        or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
        or libc.mount(b"hang", folder.encode(), b"fuse", 0, options)
    ):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    print("mounted", flush=True)
    serve(device)


main(sys.argv[1])
