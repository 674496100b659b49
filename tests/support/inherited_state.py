"""What the tests' programs inherit."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

from tests.support import cleanup
from tests.support.syscalls import NUMBERS


def prepare() -> None:
    """Make it the same everywhere, and see what they leave behind."""
    # Whoever started us may have ignored or blocked signals: nohup, a script's `make test &`.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}):
        if signal.getsignal(number) is signal.SIG_IGN:
            by_default = {signal.SIGINT: signal.default_int_handler}
            signal.signal(number, by_default.get(number, signal.SIG_DFL))
    # GNU make 4.3 leaves 32 and 33, libc's own, ignored; libc lets no one change that but the kernel itself.
    by_default_action = (ctypes.c_ulong * 4)()
    for hidden in (32, 33):
        ctypes.CDLL(None).syscall(NUMBERS["rt_sigaction"], hidden, by_default_action, None, 8)
    os.umask(0o022)
    # Payloads die of signals that would write a file, too.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    # Orphans become our children: none can hide.
    cleanup.adopt()
