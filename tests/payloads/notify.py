"""Tells its service manager what its arguments say: a text, or one of the words below."""

from __future__ import annotations

import array
import contextlib
import os
import socket
import sys

address = os.environ["NOTIFY_SOCKET"]
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.connect("\0" + address[1:] if address.startswith("@") else address)
reader, writer = os.pipe()
for word in sys.argv[1:]:
    text = os.fsencode(word).replace(b"OWN", b"%d" % os.getpid())
    if word == "barrier":
        rights = array.array("i", [writer])
        manager.sendmsg([b"BARRIER=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        os.close(writer)
        # The end of the pipe: whoever got the other one has closed it.
        print("barrier passed", os.read(reader, 1), flush=True)
    elif word.startswith("fds:"):
        rights = array.array("i", [reader] * int(word[4:]))
        manager.sendmsg([b"FDSTORE=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    elif word.startswith("long:"):
        manager.send(b"STATUS=" + b"x" * int(word[5:]))
    elif word == "flood":
        manager.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                manager.send(b"STATUS=flood")
    elif word == "flood-on":
        print("flooding", flush=True)
        # Until nobody is there any more.
        with contextlib.suppress(ConnectionError):
            while True:
                manager.send(b"STATUS=flood")
    elif word.startswith("many:"):
        for number in range(int(word[5:])):
            manager.send(b"STATUS=%d" % number)
    else:
        manager.send(text)
