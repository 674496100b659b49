"""Compiles the start-up code and the two extension modules, and links stage 1: a program without a snapshot."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from freezing import blocks, compiler, snapshot
from freezing.sources import Source
from freezing.steps import run

WARNINGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror"]
# malloc must not be turned into calls of itself; sizes and zeroing matter more than speed there
ARENA = ["-fno-builtin-malloc", "-fno-builtin-calloc", f"-DROOM={snapshot.ROOM}", f"-DHEADER={blocks.HEADER}"]
OWN_FLAGS: Mapping[str, list[str]] = {"arena": ARENA}
SETPROCTITLE = ["setproctitle", "spt_debug", "spt_status", "spt_strlcpy"]  # title.c is its spt_setup


def stage(sources: Mapping[str, Source], library: Path, root: Path, work: Path) -> Path:
    """Compile and link; returns the stage's file. Raises BuildError if a step fails."""
    boot, objects, logs = root / "build" / "boot", work / "boot", work / "logs"
    shutil.rmtree(objects, ignore_errors=True)
    objects.mkdir(parents=True)
    prctl, title = sources["python-prctl"].unpack(), sources["setproctitle"].unpack()
    python = [f"-I{library / 'Include'}", f"-I{library / 'Include' / 'internal'}", f"-I{library}"]
    headers = ["-idirafter", str(compiler.linux_headers(work / "headers"))]
    common = ["musl-gcc", *compiler.FLAGS, "-DNDEBUG", *python, *headers, "-c"]

    ours = [*sorted(boot.glob("*.c")), *sorted(boot.glob("*.S"))]
    core = ["-fstack-protector-strong", "-DPy_BUILD_CORE=1", f"-I{boot / 'include'}", f"-I{title / 'src'}"]
    for file in ours:
        flags = [*WARNINGS, *core, *OWN_FLAGS.get(file.stem, [])]
        compile_one([*common, *flags], file, objects, logs)
    compile_one([*common, f"-I{boot / 'include'}"], prctl / "_prctlmodule.c", objects, logs)
    version = sources["setproctitle"].version
    for name in SETPROCTITLE:
        flags = [f"-DSPT_VERSION={version}", "-DHAVE_SYS_PRCTL_H", "-Dgetenv=pyinit_no_variable"]
        compile_one([*common, *flags], title / "src" / f"{name}.c", objects, logs)

    order = root / "build" / "symbols.order"
    write_order(order.read_text() if order.exists() else "", objects)
    target = work / "stage1"
    command = ["musl-gcc", "-static", "-no-pie", "-nostdlib", "-nostartfiles"]
    wishes = [f"-T,{boot / 'snapshot.ld'}", "--gc-sections", "-z,norelro", "-z,noexecstack"]
    wishes += ["--build-id=none", "--no-warn-rwx-segments", f"-Map={work / 'stage1.map'}"]
    command += [f"-Wl,{wish}" for wish in wishes]
    command += [f"-L{objects}", "-o", str(target), str(compiler.libc().with_name("crt1.o"))]
    command += [str(each) for each in sorted(objects.glob("*.o"))]
    libraries = [str(library / "libpyinit.a"), str(compiler.libc()), "-lgcc"]
    command += ["-Wl,--start-group", *libraries, "-Wl,--end-group"]
    run("link", command, logs / "link.log", None, compiler.environment())
    return target


def compile_one(command: list[str], file: Path, objects: Path, logs: Path) -> None:
    """One source file to one object of the same name."""
    target = objects / f"{file.stem}.o"
    environment = compiler.environment()
    command = [*command, str(file), "-o", str(target)]
    run(f"compile {file.name}", command, logs / f"{file.stem}.log", None, environment)


def write_order(symbols: str, folder: Path) -> None:
    """The linker script's parts that lay out first, and in this order, what every start uses."""
    lines = (line.partition("#")[0].strip() for line in symbols.splitlines())
    names = [name for name in lines if re.fullmatch(r"[\w.]+", name)]
    functions = "".join(f"*(.text.{name} .text.hot.{name} .text.startup.{name})\n" for name in names)
    constants = "".join(f"*(.rodata.{name} .rodata.{name}.str*)\n" for name in names)
    (folder / "functions.ld").write_text(functions)
    (folder / "constants.ld").write_text(constants)
    (folder / "data.ld").write_text("".join(f"*(.data.{name} .bss.{name})\n" for name in names))
