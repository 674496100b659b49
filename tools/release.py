"""What every package is made from: the frozen file, the version, the date, the folder they go to."""

from __future__ import annotations

import os
import re
import subprocess
from email.utils import parsedate_to_datetime

from pyinit.version import VERSION
from tools.tree import ROOT

DIST = ROOT / "dist"
FROZEN = DIST / "pyinit"
DEBIAN = ROOT / "packaging" / "debian"


class ReleaseError(Exception):
    """Something that a package is made from is missing or contradicts the rest; says what to do."""


def frozen_output(option: str) -> str:
    """What the frozen file prints when run with this option; ReleaseError if there is none."""
    if not FROZEN.exists():
        raise ReleaseError(f"{FROZEN.relative_to(ROOT)}: is missing; run make dist")
    return subprocess.run([FROZEN, option], check=True, capture_output=True, text=True).stdout


def debian_version() -> str:
    """The newest version in Debian's changelog; ReleaseError if it is not one of VERSION."""
    found = re.match(r"pyinit \((([^-\s]+)-\S+)\) ", changelog())
    if not found or found[2] != VERSION:
        raise ReleaseError(f"packaging/debian/changelog: begins with no entry for {VERSION}; add it")
    return found[1]


def moment() -> int:
    """When the release was made, in seconds since 1970: SOURCE_DATE_EPOCH, or the changelog's date.

    This, and no clock, is the time of every file in a package, so that two builds give the same bits.
    """
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    found = re.search(r"^ -- .*>  (.*)$", changelog(), re.MULTILINE)
    if not found:
        raise ReleaseError(
            "packaging/debian/changelog: the newest entry has no date; end it with ' -- NAME <MAIL>  DATE'"
        )
    return int(parsedate_to_datetime(found[1]).timestamp())


def changelog() -> str:
    """Return Debian's changelog."""
    return (DEBIAN / "changelog").read_text()
