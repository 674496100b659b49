"""What each optional part of the frozen file saves: builds without it, and measures that beside the whole.

python -m benchmarks.ablation [--rounds N] [--again] [--document FILE]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from freezing.optional import PARTS
from freezing.profiling import profile

from benchmarks import surroundings, unpacked
from benchmarks.instances import Instance, settle
from benchmarks.measures import start
from benchmarks.measures.cpuids import may_have_any
from benchmarks.programs import FREEZER, NO_INIT, Program
from benchmarks.samples import median, quantile
from benchmarks.surroundings import ENVIRONMENT
from tests.support import document_marks
from tools.tree import ROOT

FOLDER = ROOT / ".work" / "ablation"
MARK = "ablation"  # the name of the marks in the document
WHOLE = "nothing"
# What is left out, by the name of the row.
VARIANTS: dict[str, Sequence[str]] = {
    WHOLE: (),
    **{name: (name,) for name in PARTS},
    "every part": PARTS,
}
# Of the rounds: other work on the machine lengthens starts, and the median with them.
SHARE = 0.1
LIVES = 5  # inits of each variant whose memory is looked at
HEAD = """\
| without | start | page faults | RSS, KB | private dirty, KB | instructions | size, bytes |
|---|---|---|---|---|---|---|
"""
NOTE = """
Made by `make ablation` in {rounds} interleaved rounds on one CPU, each variant with the orders of its own runs.
Start: a run as PID 1 with a payload that ends at once, less the payload alone, as a multiple of the whole file's
{wall:.0f} µs; the tenth percentile, which other work on the machine disturbs less than the median. Page faults: the
median of the same runs. RSS and private dirty memory: of an init that waits, as PID 1; median of
{lives}. Instructions: in user mode, of a whole run of `true`, not as PID 1; counted step by step. {cpuid}
"""


class Figures(NamedTuple):
    """What is measured of a variant: microseconds, KB, bytes."""

    wall: float
    faults: float
    rss: float
    dirty: float
    instructions: int
    size: int


def main(words: Sequence[str]) -> int:
    """Build, measure, and print the table or put it into a document; return the exit code."""
    parser = argparse.ArgumentParser(prog="make ablation", description="Measures what each optional part saves.")
    parser.add_argument("--rounds", type=int, default=1000, help="rounds of the starts (1000)")
    parser.add_argument("--again", action="store_true", help="build nothing: measure the files of the last time")
    parser.add_argument("--document", type=Path, help="a file that gets the table, between its marks")
    options = parser.parse_args(words)
    if not options.again:
        for name, absent in VARIANTS.items():
            _build(name, absent)
    measured = _measure(options.rounds)
    text = _table(measured, options.rounds)
    if options.document:
        document_marks.replace(options.document, MARK, text)
    print(text)
    return 0


def _folder(name: str) -> Path:
    return FOLDER / name.replace(" ", "-").replace("/", "")


def _build(name: str, absent: Iterable[str]) -> None:
    """Build a variant, refresh its orders, and build it with those."""
    print(f"ablation: without {name}", file=sys.stderr, flush=True)
    folder = _folder(name)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "build" / "profile", folder / "profile")
    environment = {
        **os.environ,
        "PYINIT_WITHOUT": ",".join(absent),
        "PYINIT_PROFILE": str(folder / "profile"),
        "PYTHONPATH": str(ROOT / "build"),
    }
    program, work = folder / "pyinit", folder / "work"
    folders = ["--distpath", str(folder), "--workpath", str(work)]
    freeze = ["PyInstaller", "--log-level", "WARN", "--noconfirm", *folders, str(ROOT / "build" / "pyinit.spec")]
    refresh = ["freezing.profiling.profile", str(work / "pyinit"), str(program), str(folder / "profile")]
    for module in (freeze, refresh, freeze):
        subprocess.run([str(FREEZER), "-m", *module], check=True, env=environment, stdout=sys.stderr)
    done = subprocess.run([program, "--", "sh", "-c", "exit 42"], check=False)
    if done.returncode != 42:
        raise SystemExit(f"ablation: without {name}: exit code {done.returncode} instead of 42")


def _measure(rounds: int) -> dict[str, Figures]:
    """Return the figures of each variant, by name."""
    programs = []
    for name in VARIANTS:
        file = _folder(name) / "pyinit"
        programs.append(Program(name, (str(file), "--"), (str(file), "--"), (file,)))
    unpacked.own_mounts()
    surroundings.stay_on_one_cpu()
    instructions = {program.name: _instructions(program.files[0]) for program in programs}
    with unpacked.files(programs):
        samples = start.samples(programs, rounds, 1, is_init=True, environment=ENVIRONMENT)
        wall = {name: quantile([each.wall for each in found], SHARE) for name, found in samples.items()}
        faults = start.net(samples, 4)
        memory = {program.name: _memory(program) for program in programs}
    return {
        program.name: Figures(
            (wall[program.name] - wall[NO_INIT]) / start.MICROSECOND,
            faults[program.name],
            *memory[program.name],
            instructions[program.name],
            program.files[0].stat().st_size,
        )
        for program in programs
    }


def _instructions(file: Path) -> int:
    return sum(1 for _ in profile.steps(str(file), ["--", "true"]))


def _memory(program: Program) -> tuple[float, float]:
    """Return RSS and private dirty memory in KB."""
    found = []
    for _ in range(LIVES):
        with Instance(program, "pause") as instance:
            settle()
            found.append((instance.memory("Rss"), instance.memory("Private_Dirty")))
    rss, dirty = zip(*found, strict=True)
    return median(rss), median(dirty)


def _table(measured: dict[str, Figures], rounds: int) -> str:
    whole = measured[WHOLE]
    rows = []
    for name, each in measured.items():
        title = f"`{name}`" if name in PARTS else name
        rows.append(
            f"| {title} | {each.wall / whole.wall:.2f} | {each.faults:.0f} | {each.rss:,} | {each.dirty:,} "
            f"| {each.instructions:,} | {each.size:,} |\n"
        )
    has_cpuid = [name for name in measured if may_have_any(_folder(name) / "pyinit")]
    cpuid = f"CPUID instructions may be in: {', '.join(has_cpuid)}." if has_cpuid else "None of the files has a CPUID."
    note = NOTE.format(rounds=rounds, lives=LIVES, wall=whole.wall, cpuid=cpuid)
    return HEAD + "".join(rows) + note


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
