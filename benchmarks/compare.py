"""The door: measures pyinit beside the other inits, and writes the report.

python -m benchmarks.compare [--rounds N | --quick] [--only NAME...] [--output FOLDER] [--again]
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import effort, machine, plots, programs, readme, report, surroundings, unpacked
from benchmarks.effort import Effort
from benchmarks.measures import calls, environment, forward, idle, memory, reap, size, start
from benchmarks.programs import Program
from benchmarks.report import Results
from benchmarks.tables import Table
from tests.support import document_marks
from tools.tree import ROOT

OUTPUT = ROOT / "docs" / "benchmarks"


def main(words: Sequence[str]) -> int:
    """The whole of it; the exit code. Progress goes to standard error."""
    options = _parser().parse_args(words)
    chosen = effort.quick() if options.quick else effort.full(options.rounds)
    if options.again:
        _write(options.output, report.read(options.output / report.FILE))
        return 0
    try:
        compared = programs.programs(options.only or programs.NAMES)
        _run(compared, chosen, options.output, "make bench" + (f" BENCH={shlex.quote(' '.join(words))}" * bool(words)))
    except programs.Missing as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"bench: mounts and namespaces of its own: {error.strerror}; root may have them", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failed:
        print(f"bench: {shlex.join(map(str, failed.cmd))[:200]}: exit code {failed.returncode}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description="Measures pyinit beside the other inits.")
    parser.add_argument("--rounds", type=int, default=500, help="rounds of the starts; the rest in proportion (500)")
    parser.add_argument("--quick", action="store_true", help="a few rounds of all, to see that it works")
    parser.add_argument("--only", nargs="+", choices=programs.NAMES, help="these programs instead of all")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the report (docs/benchmarks)")
    parser.add_argument("--again", action="store_true", help="measure nothing: page and plots from its results.json")
    return parser


def _run(compared: Sequence[Program], chosen: Effort, folder: Path, command: str) -> None:
    unpacked.own_mounts()
    cpu = surroundings.stay_on_one_cpu()
    cpuid = start.cost_of_cpuid()
    described = machine.describe(compared, cpu, cpuid)
    surroundings.SCRATCH.mkdir(parents=True, exist_ok=True)
    try:
        tables = {table.key: table for table in _measure(compared, chosen, cpuid)}
    finally:
        shutil.rmtree(surroundings.SCRATCH, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, Results(command, described, [program.name for program in compared], tables))
    _progress(f"written to {folder}")


def _write(folder: Path, results: Results) -> None:
    report.write(folder, results)
    plots.draw(folder, results.tables)
    if folder == OUTPUT:
        text = readme.part(results.machine, str(OUTPUT.relative_to(ROOT)))
        document_marks.replace(ROOT / "README.md", readme.MARK, text)


def _measure(compared: Sequence[Program], chosen: Effort, cpuid: float) -> Iterator[Table]:
    _progress("system calls")
    counts = calls.measure(compared)
    started = []
    with unpacked.files(compared):
        for is_init in (True, False):
            _progress(f"start and exit, {'as PID 1' if is_init else 'not as PID 1'}: {chosen.starts} rounds")
            started.append(start.measure(compared, chosen.starts, chosen.slow_every, counts, cpuid, is_init=is_init))
        _progress(f"start with a large environment: {chosen.large_starts} rounds")
        large = environment.measure(compared, started[1], chosen.large_starts, chosen.slow_every)
    yield from (*started, large)
    _progress(f"forwarding: {chosen.signals} rounds of {forward.BATCH}")
    forwarded = forward.measure(compared, chosen.signals)
    yield forwarded
    _progress(f"forwarding among {chosen.processes} processes: {chosen.crowds} rounds")
    yield forward.crowd(compared, forwarded, chosen.crowds, chosen.processes)
    rounds = ", ".join(f"{count} orphans, {chosen.lives} times {each} rounds" for count, each in chosen.storms.items())
    _progress(f"reaping: {rounds}")
    yield from reap.measure(compared, chosen)
    _progress(f"idle: {chosen.idle:g} s")
    yield idle.measure(compared, chosen.idle)
    _progress(f"memory: {chosen.instances} instances of each")
    yield memory.measure(compared, chosen.instances)
    yield size.measure(compared)
    yield calls.table(counts)


def _progress(text: str) -> None:
    print(f"bench {time.strftime('%H:%M:%S')}: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
