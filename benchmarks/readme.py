"""The part of README that the benchmark writes: the plot, and where it was made."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.plots import SUMMARY

MARK = "benchmark"  # the name of the marks that it stands between


def part(machine: Mapping[str, str], folder: str) -> str:
    """What stands there, for measurements on this machine whose report is in `folder`, as README links to it."""
    where = f"{machine['processor']}; {machine['kernel']}; {machine['packages']}"
    return (
        f"![pyinit and other inits compared]({folder}/{SUMMARY})\n\n"
        f"Medians of one run, interleaved; a shorter bar is better. {where}.\n"
        f"All figures, including those in which another init is better: [{folder}]({folder}/README.md). "
        "`make bench` measures on your machine.\n"
    )
