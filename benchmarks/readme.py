"""The part of README that the benchmark writes: the plot, and where it was made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks.plots import SUMMARY

BEGIN, END = "<!-- written by make bench -->\n", "<!-- end of what make bench writes -->\n"
PLACE = re.compile(re.escape(BEGIN) + "(.*?)" + re.escape(END), re.DOTALL)


def part(machine: Mapping[str, str], folder: str) -> str:
    """What stands there, for measurements on this machine whose report is in `folder`, as README links to it."""
    where = f"{machine['processor']}; {machine['kernel']}; {machine['packages']}"
    return (
        f"![pyinit beside the others]({folder}/{SUMMARY})\n\n"
        f"Medians of one run, interleaved; a shorter bar is better. {where}.\n"
        f"Every figure, and plainly those in which another is better: [{folder}]({folder}/README.md); "
        "`make bench` measures on your machine.\n"
    )


def write(readme: Path, text: str) -> None:
    """Put the text in its place. Raises ValueError if there is none."""
    content = readme.read_text()
    if not PLACE.search(content):
        raise ValueError(f"{readme}: no line {BEGIN.strip()}, or no end to it")
    readme.write_text(PLACE.sub(lambda _: BEGIN + text + END, content))
