"""What can become of an init to which something was done, in the words of docs/reliability.md."""

from __future__ import annotations

HELD, ENDED, UNREACHED = "held", "clean end", "not reached"
HUNG, CRASHED, LEFT, LOST, SILENT, WRONG = (
    "hung",
    "crashed",
    "payload left running",
    "signal lost",
    "silent or long-winded end",
    "wrong exit code",
)
BROKEN = (HUNG, CRASHED, LEFT, LOST, SILENT, WRONG)
