"""The frozen file, for tests of what only it promises; most run from source as well."""

from __future__ import annotations

from tests.frozen.conftest import frozen

__all__ = ["frozen"]
