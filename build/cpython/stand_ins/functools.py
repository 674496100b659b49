"""Stands in for the module of the same name, which needs namedtuple and so the compiler: what enum and we use."""

from __future__ import annotations

from _collections_abc import Callable
from _functools import partial, reduce

__all__ = ["partial", "reduce", "wraps"]


def wraps(wrapped: Callable[..., object]) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """As in functools: a decorator that gives a wrapper the names of what it wraps."""

    def name(wrapper: Callable[..., object]) -> Callable[..., object]:
        for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(wrapper, attribute, getattr(wrapped, attribute))
        wrapper.__wrapped__ = wrapped  # type: ignore[attr-defined]
        return wrapper

    return name
