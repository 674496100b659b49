"""The types of the fixtures that are functions (tests/conftest.py)."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.harness import Init
from tests.support.tty import Terminal

Start = Callable[..., Init]
OpenTerminal = Callable[..., Terminal]
RunAs = Callable[..., Init]
