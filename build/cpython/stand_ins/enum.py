"""Stand in for the module of the same name, which takes 258 KB in the file: IntEnum, as far as pyinit uses it."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["IntEnum"]


class EnumType(type):
    """Turn the numbers in the body of a class into its members, each with a name."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> EnumType:
        """Make the class."""
        numbers = {word: value for word, value in body.items() if isinstance(value, int)}
        made = super().__new__(cls, name, bases, {word: body[word] for word in body if word not in numbers})
        made._members = []  # type: ignore[attr-defined]
        for word, value in numbers.items():
            member = int.__new__(made, value)  # type: ignore[type-var]
            member.name = word
            setattr(made, word, member)
            made._members.append(member)  # type: ignore[attr-defined]
        return made

    def __iter__(cls) -> Iterator[object]:
        """Yield the members in the order of their definition."""
        return iter(cls._members)  # type: ignore[attr-defined]


class IntEnum(int, metaclass=EnumType):
    """Base class of enumerations whose members are numbers."""
