"""The payload's identity for -u: names from the image's /etc/passwd and /etc/group, or numbers; no NSS."""

from __future__ import annotations

import os
import stat

from pyinit import files
from pyinit.errors import Failure

PASSWD = "/etc/passwd"
GROUP = "/etc/group"
# (uid_t) -1 and (gid_t) -1 mean "unchanged" to setresuid(2).
HIGHEST = 2**32 - 2
DIGITS = len(str(HIGHEST))
STREAMS = (0, 1, 2)
# Documentation/admin-guide/devices.txt in Linux: the numbers of /dev/null.
NULL_DEVICE = os.makedev(1, 3)
# fchown(2): the group stays.
UNCHANGED = -1


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

    def own_streams(self) -> None:
        """Make the user the owner of the three standard streams, so that it can open /dev/stdout and /dev/stderr.

        The rule is that of runc's fixStdioPermissions (libcontainer/init_linux.go): a stream that is /dev/null, or the
        user's already, is left alone, the group stays, and a refusal is ignored (EPERM without CHOWN, EROFS, EINVAL for
        an id that is not mapped). Unlike runc, which creates the streams, pyinit also ignores closed ones.
        """
        for descriptor in STREAMS:
            try:
                found = os.fstat(descriptor)
                is_null = stat.S_ISCHR(found.st_mode) and found.st_rdev == NULL_DEVICE
                if found.st_uid != self.user and not is_null:
                    os.fchown(descriptor, self.user, UNCHANGED)
            except OSError:
                continue


def lookup(text: str) -> Identity:
    """The identity that USER[:GROUP] names.

    Raises Failure for a name that the image's files do not hold, and for a number without an entry and a group.
    """
    name, _, group_name = text.partition(":")
    raw = name.encode("utf-8", "surrogateescape")
    if raw.isdigit():
        # Always an id, whatever names the image's files hold (CVE-2016-3697), and out of range before they are read.
        user = _number(raw, text)
        found = _by_id(entries(PASSWD), raw)
    else:
        found = _by_name(_needed(PASSWD), raw)
        if found is None:
            raise Failure(f"-u {text}: {PASSWD} has no user {name}")
        user = _number(found[2], text)
    home = found[5] or b"/" if found else b"/"
    if group_name:
        group = _group(group_name, text)
        groups = [group]
    elif found:
        group = _number(found[3], text)
        groups = _groups(found[0], group, text)
    else:
        raise Failure(f"-u {text}: {PASSWD} has no user {name}: name a group too, as {name}:{name}")
    return Identity(user, group, groups, home)


def _group(name: str, text: str) -> int:
    raw = name.encode("utf-8", "surrogateescape")
    if raw.isdigit():
        return _number(raw, text)
    found = _by_name(_needed(GROUP), raw)
    if found is None:
        raise Failure(f"-u {text}: {GROUP} has no group {name}")
    return _number(found[2], text)


def _groups(user: bytes, group: int, text: str) -> list[int]:
    """The groups that list the user as a member, and its own first."""
    listed = [_number(entry[2], text) for entry in entries(GROUP) if user in entry[3].split(b",")]
    return [group, *(each for each in dict.fromkeys(listed) if each != group)]


def _number(word: bytes, text: str) -> int:
    if len(word) > DIGITS or int(word) > HIGHEST:
        raise Failure(f"-u {text}: the id {word.decode()} is over {HIGHEST}")
    return int(word)


def _by_name(entries: list[list[bytes]], name: bytes) -> list[bytes] | None:
    """Return the first entry with this name."""
    return next((entry for entry in entries if entry[0] == name), None)


def _by_id(entries: list[list[bytes]], digits: bytes) -> list[bytes] | None:
    """Return the first entry with this id; leading zeros mean nothing."""
    return next((entry for entry in entries if entry[2].lstrip(b"0") == digits.lstrip(b"0")), None)


def entries(path: str) -> list[list[bytes]]:
    """The lines of passwd(5) or group(5) that are whole, each as its fields; none for a file that cannot be read."""
    try:
        return _read(path)
    except OSError:
        return []


def _needed(path: str) -> list[list[bytes]]:
    try:
        return _read(path)
    except OSError as error:
        raise Failure(f"-u: {path}: {error.strerror}; give numbers: -u 1000:1000") from None


def _read(path: str) -> list[list[bytes]]:
    fields, numbers = (7, (2, 3)) if path == PASSWD else (4, (2,))
    found = [line.split(b":") for line in files.read(path).splitlines()]
    return [each for each in found if len(each) == fields and all(each[number].isdigit() for number in numbers)]
