"""gate.py FD WORD...: waits as gate.c does, but with pyinit imported and about to begin; then is pyinit with WORD...

So a tracer sees what pyinit's main() does, and need not sit through the interpreter's start.
"""

from __future__ import annotations

import os
import sys

from pyinit import __main__ as door

_, gate, *words = sys.argv
sys.argv = [door.__file__, *words]
os.readv(int(gate), [bytearray(1)])
os.close(int(gate))
door.command()
