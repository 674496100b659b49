"""THIRD-PARTY.md names exactly what the frozen file is made of, in these versions, and the file has their texts."""

from __future__ import annotations

import re
import subprocess
import tomllib

from tests.support.requirements import frozen_file
from tools.tree import ROOT


def listed() -> dict[str, str]:
    """The works in the document's table, in lower case, with their versions."""
    rows = re.findall(r"^\| (\S+) \| (.+?) \|", (ROOT / "THIRD-PARTY.md").read_text(), re.MULTILINE)
    return {work.lower(): version for work, version in rows if work != "work"}


def test_the_notices_name_the_works_of_the_build() -> None:
    sources = tomllib.loads((ROOT / "build" / "sources.toml").read_text())
    versions = {name: source["version"] for name, source in sources.items()}
    # musl is the one of the machine that builds: it has no version of ours.
    works = listed()
    assert works.pop("musl")
    assert works == versions


def test_the_frozen_file_prints_every_notice() -> None:
    printed = subprocess.run([frozen_file(), "--license"], check=True, capture_output=True, text=True).stdout
    headings = re.findall(r"^-{20,}\n(\S+)(?: \S+)?\n-{20,}$", printed, re.MULTILINE)
    assert sorted(headings) == sorted(listed())
    # What came into these works from others, and is linked in.
    for holder in ("PostgreSQL Global", "Todd C. Miller", "David M. Gay", "Don Owens", "Majkowski", "Secret Labs"):
        assert holder in printed
