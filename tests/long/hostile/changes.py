"""What peers hand on otherwise than it was given to them: lines of the payload's report."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from tests.long.hostile.starts import bits

# It blocks these for itself, and for what it starts.
CHANGES: Mapping[str, Mapping[str, str]] = {
    "catatonit": {"mask": bits((signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU))},
}
