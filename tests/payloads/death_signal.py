"""death_signal.py [fork]: prints the signal it gets when its parent dies, 0 for none; `fork`: a child of it does."""

from __future__ import annotations

import ctypes
import os
import sys

PR_GET_PDEATHSIG = 2  # linux/prctl.h

if sys.argv[1:] == ["fork"] and os.fork():
    _, status = os.wait()
    sys.exit(os.waitstatus_to_exitcode(status))
number = ctypes.c_int(-1)
ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
os.write(1, b"%d\n" % number.value)
