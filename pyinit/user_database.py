"""Look up the payload's identity for -u, in the image's /etc/passwd and /etc/group. There is no NSS."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from pyinit import files
from pyinit.exit_codes import Failure
from pyinit.numbers import HIGHEST_ID, number
from pyinit.report.log import Log

PASSWD = "/etc/passwd"
GROUP = "/etc/group"
# The most supplementary groups of a user. The kernel's limit is 65,536 (setgroups(2)).
MOST_GROUPS = 4096
STREAMS = (0, 1, 2)
# Documentation/admin-guide/devices.txt in Linux: the numbers of /dev/null.
NULL_DEVICE = os.makedev(1, 3)
# fchown(2): keep the group.
UNCHANGED = -1


class Identity:
    """A user id, a group id, supplementary group ids and a home directory."""

    __slots__ = ("group", "groups", "home", "user")

    def __init__(self, user: int, group: int, groups: list[int], home: bytes) -> None:
        self.user = user
        self.group = group
        self.groups = groups
        self.home = home

    def ids(self) -> tuple[int, int, list[int]]:
        """Return the ids for the payload: user, group, supplementary groups."""
        return self.user, self.group, self.groups

    def assign(self) -> list[bytes]:
        """Return the variables for its environment, NAME=VALUE: only HOME, as gosu does."""
        return [b"HOME=" + self.home]

    def own_streams(self) -> None:
        """Make the user the owner of the three standard streams, so that it can open /dev/stdout and /dev/stderr.

        This follows runc's fixStdioPermissions (libcontainer/init_linux.go): a stream that is /dev/null, or that the
        user owns already, is not changed, the group stays, and an error is ignored (EPERM without CHOWN, EROFS, EINVAL
        for an id that is not mapped). Unlike runc, which creates the streams, pyinit also ignores closed ones.
        """
        for descriptor in STREAMS:
            try:
                found = os.fstat(descriptor)
                is_null = stat.S_ISCHR(found.st_mode) and found.st_rdev == NULL_DEVICE
                if found.st_uid != self.user and not is_null:
                    os.fchown(descriptor, self.user, UNCHANGED)
            except OSError:
                continue


def lookup(text: str, log: Log) -> Identity:
    """Return the identity that USER[:GROUP] names.

    Raises Failure for a name that the image's files do not have, for a number with neither an entry nor a group, and
    for a file that is needed and cannot be searched. Two numbers need no file: if HOME cannot be looked up, log a
    warning.
    """
    name, _, group_name = text.partition(":")
    raw = name.encode("utf-8", "surrogateescape")
    if not raw.isdigit():
        found = _by_name(PASSWD, raw)
        if found is None:
            raise Failure(f"-u {text}: {PASSWD} has no user {name}")
        user = _number(found[2], text)
    else:
        # Always an id, whatever names the image's files have (CVE-2016-3697). Its range is checked before reading them.
        user = _number(raw, text)
        if group_name:
            group = _group(group_name, text)
            return Identity(user, group, [group], _home_of(raw, text, log))
        found = _needed_by_id(raw)
        if found is None:
            raise Failure(f"-u {text}: {PASSWD} has no user {name}: name a group too, as {name}:{name}")
    if group_name:
        group = _group(group_name, text)
        groups = [group]
    else:
        group = _number(found[3], text)
        groups = _groups(found[0], group, text)
    return Identity(user, group, groups, found[5] or b"/")


def _group(name: str, text: str) -> int:
    raw = name.encode("utf-8", "surrogateescape")
    if raw.isdigit():
        return _number(raw, text)
    found = _by_name(GROUP, raw)
    if found is None:
        raise Failure(f"-u {text}: {GROUP} has no group {name}")
    return _number(found[2], text)


def _groups(user: bytes, group: int, text: str) -> list[int]:
    """Return the user's own group, then those that list the user as a member; only its own if there is no file."""
    found = {group: None}
    try:
        for entry in entries(GROUP, user):
            if b",%b," % user in b",%b," % entry[3]:
                found[_number(entry[2], text)] = None
                if len(found) > MOST_GROUPS:
                    raise Failure(f"-u {text}: {GROUP} has more than {MOST_GROUPS} groups of this user: name one too")
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise _unreadable(GROUP, error) from None
    return list(found)


def _number(word: bytes, text: str) -> int:
    found = number(word, HIGHEST_ID)
    if found is None:
        raise Failure(f"-u {text}: the id {word.decode()} is over {HIGHEST_ID}")
    return found


def _by_name(path: str, name: bytes) -> list[bytes] | None:
    """Return the first entry with this name."""
    try:
        return next((entry for entry in entries(path, name + b":") if entry[0] == name), None)
    except OSError as error:
        raise _unreadable(path, error) from None


def _by_id(digits: bytes) -> list[bytes] | None:
    """Return the first entry with this id, leading zeros ignored; None if there is none, or no file.

    Raises OSError as `entries` does.
    """
    least = digits.lstrip(b"0")
    try:
        found = entries(PASSWD, (least or b"0") + b":")
        return next((entry for entry in found if entry[2].lstrip(b"0") == least), None)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _needed_by_id(digits: bytes) -> list[bytes] | None:
    try:
        return _by_id(digits)
    except OSError as error:
        raise _unreadable(PASSWD, error) from None


def _home_of(digits: bytes, text: str, log: Log) -> bytes:
    """Return the home directory of a user id; `/` if it has no entry, or if the file cannot be read."""
    try:
        found = _by_id(digits)
    except OSError as error:
        log.warning(f"-u {text}: {PASSWD}: {error.strerror}; HOME is /; env HOME=DIR before the program sets another")
        found = None
    return found[5] or b"/" if found else b"/"


def _unreadable(path: str, error: OSError) -> Failure:
    return Failure(f"-u: {path}: {error.strerror}; give numbers: -u 1000:1000")


def entries(path: str, text: bytes) -> Iterator[list[bytes]]:
    """Yield the lines of passwd(5) or group(5) that are well-formed and contain `text`, each as its fields.

    Raises OSError as `files.lines` does.
    """
    fields, numbers = (7, (2, 3)) if path == PASSWD else (4, (2,))
    for line in files.lines(path, text):
        entry = line.rstrip(b"\r").split(b":", fields)
        # A NUL is not allowed: the fields become C strings.
        if len(entry) == fields and b"\0" not in line and all(entry[index].isdigit() for index in numbers):
            yield entry
