"""The payload's identity for -u: names from the image's /etc/passwd and /etc/group, or numbers; no NSS."""

from __future__ import annotations

from pyinit import files
from pyinit.errors import Failure

PASSWD = "/etc/passwd"
GROUP = "/etc/group"
# (uid_t) -1 and (gid_t) -1 mean "unchanged" to setresuid(2).
HIGHEST = 2**32 - 2


class Identity:
    """A user, its group, its supplementary groups and its home directory."""

    __slots__ = ("group", "groups", "home", "user")

    def __init__(self, user: int, group: int, groups: list[int], home: bytes) -> None:
        self.user = user
        self.group = group
        self.groups = groups
        self.home = home

    def ids(self) -> tuple[int, int, list[int]]:
        """What the payload is given: user, group, supplementary groups."""
        return self.user, self.group, self.groups

    def assign(self) -> list[bytes]:
        """What its environment is given: HOME, as gosu does."""
        return [b"HOME=" + self.home]


def lookup(text: str) -> Identity:
    """The identity that USER[:GROUP] names.

    Raises Failure for a name that the image's files do not hold, and for a number without an entry and a group.
    """
    name, _, group_name = text.partition(":")
    raw = name.encode("utf-8", "surrogateescape")
    users = _entries(PASSWD, 7, needed=not raw.isdigit())
    found = _match(users, raw)
    if found is None and not raw.isdigit():
        raise Failure(f"-u {text}: {PASSWD} has no user {name!r}")
    user = int(found[2]) if found else _number(name, text)
    home = found[5] or b"/" if found else b"/"
    if group_name:
        group = _group(group_name, text)
        groups = [group]
    elif found:
        group = int(found[3])
        groups = _groups(found[0], group)
    else:
        raise Failure(f"-u {text}: {PASSWD} has no user {name}: name a group too, as {name}:{name}")
    return Identity(user, group, groups, home)


def _group(name: str, text: str) -> int:
    raw = name.encode("utf-8", "surrogateescape")
    if raw.isdigit():
        return _number(name, text)
    found = _match(_entries(GROUP, 4, needed=True), raw)
    if found is None:
        raise Failure(f"-u {text}: {GROUP} has no group {name!r}")
    return int(found[2])


def _groups(user: bytes, group: int) -> list[int]:
    """The groups that list the user as a member, and its own first."""
    listed = [int(entry[2]) for entry in _entries(GROUP, 4, needed=False) if user in entry[3].split(b",")]
    return [group, *(each for each in dict.fromkeys(listed) if each != group)]


def _number(word: str, text: str) -> int:
    value = int(word)
    if value > HIGHEST:
        raise Failure(f"-u {text}: {word} is over {HIGHEST}")
    return value


def _match(entries: list[list[bytes]], word: bytes) -> list[bytes] | None:
    """The entry with this name or, where the word is a number, this id."""
    for entry in entries:
        if entry[0] == word:
            return entry
    if word.isdigit():
        for entry in entries:
            if int(entry[2]) == int(word):
                return entry
    return None


def _entries(path: str, fields: int, needed: bool) -> list[list[bytes]]:
    """The lines of passwd(5) or group(5) that are whole; none for a missing file that is not needed."""
    try:
        content = files.read(path)
    except OSError as error:
        if needed:
            raise Failure(f"-u: {path}: {error.strerror}; give numbers: -u 1000:1000") from None
        return []
    entries = [line.split(b":") for line in content.splitlines()]
    return [
        each for each in entries if len(each) == fields and each[2].isdigit() and (fields == 4 or each[3].isdigit())
    ]
