"""Stands in for the module of the same name, which needs namedtuple and so the compiler: what enum and we use."""

from _functools import partial, reduce

__all__ = ["partial", "reduce", "wraps"]


def wraps(wrapped):
    """As in functools: a decorator that gives a wrapper the names of what it wraps."""

    def name(wrapper):
        for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(wrapper, attribute, getattr(wrapped, attribute))
        wrapper.__wrapped__ = wrapped
        return wrapper

    return name
