"""Stands in for the module of the same name, a tenth of the heap: two bases for os.environ, names for annotations."""

from __future__ import annotations

GenericAlias = type(list[int])


class Annotation:
    """What annotations and type aliases say; nothing is an instance of it."""

    __class_getitem__ = classmethod(GenericAlias)


Callable = Iterable = Iterator = Generator = Coroutine = Sequence = Sized = Container = Annotation


class Mapping:
    """The base of os.environ, which is empty."""


class MutableMapping(Mapping):
    """As Mapping."""


def _check_methods(candidate: type, *methods: str) -> object:
    """What os.PathLike asks: whether a class has methods of these names."""
    found = all(any(method in each.__dict__ for each in candidate.__mro__) for method in methods)
    return found or NotImplemented
