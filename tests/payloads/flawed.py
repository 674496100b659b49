"""flawed.py FLAW PROGRAM...: an init that does its job as long as kill(2) does, and then shows its flaw.

tests/selftests/test_faults.py looks whether each flaw is seen.
"""

from __future__ import annotations

import os
import signal
import sys
import time

_, flaw, *command = sys.argv
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def fail() -> None:
    """What comes of a signal that could not be forwarded."""
    match flaw:
        case "hangs":
            time.sleep(1000)
        case "crashes":
            os.write(2, b"about to crash\n")
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.abort()
        case "faults":
            import ctypes

            ctypes.string_at(0)
        case "raises":
            raise OSError
        case "ends alone":
            os.write(2, b"cannot go on\n")
            os._exit(1)
        case "says nothing":
            os._exit(125)
        case "says too much":
            os.write(2, b"something is wrong\ncannot go on\n")
            os._exit(125)
        case "succeeds":
            os._exit(0)
        case "invents a code":
            os.write(2, b"cannot go on\n")
            os._exit(7)
        case "says it twice":
            os.kill(payload, signal.SIGTERM)


payload = os.fork()
if payload == 0:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execv(command[0], command)
while True:
    number = signal.sigwaitinfo(signal.valid_signals()).si_signo
    if number != signal.SIGCHLD:
        try:
            os.kill(payload, number)
        except OSError:
            fail()
        if flaw == "forgets":
            signal.sigtimedwait({signal.SIGTERM}, 0)
        continue
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == payload:
            os._exit(os.waitstatus_to_exitcode(status))
        if pid == 0:
            break
