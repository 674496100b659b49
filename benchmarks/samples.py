"""What is made of many samples."""

from __future__ import annotations

from collections.abc import Sequence


def quantile(samples: Sequence[float], share: float) -> float:
    """The sample that `share` (0 to 1) of all are below; there must be one at least."""
    return sorted(samples)[min(int(len(samples) * share), len(samples) - 1)]


def median(samples: Sequence[float]) -> float:
    """The middle one."""
    return quantile(samples, 0.5)
