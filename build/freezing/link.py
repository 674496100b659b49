"""Compiles the start-up code and the two extension modules, and links stage 1: a program without a snapshot."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from freezing import compiler, profiling, snapshot
from freezing.profiling import blocks, sections
from freezing.snapshot import Orders
from freezing.sources import Source
from freezing.steps import run

# The linker would merge equal strings, and its map not tell whose are where.
UNMERGED = "-fno-merge-constants"
STRINGS = ".rodata*.str*=alloc,load,readonly,data"
WARNINGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror"]
# malloc must not be turned into calls of itself; sizes and zeroing matter more than speed there
ALLOCATOR = ["-fno-builtin-malloc", "-fno-builtin-calloc", f"-DSPARE={snapshot.SPARE}", f"-DHEADER={blocks.HEADER}"]
# The folders of the start-up code; docs/freezing.md says what each is for.
KINDS = ["runtime", "dump", "musl", "cpython", "layout", "speed"]
SETPROCTITLE = ["setproctitle", "spt_debug", "spt_status", "spt_strlcpy"]  # title.c is its spt_setup


def stage(
    sources: Mapping[str, Source], library: Path, root: Path, work: Path, orders: Orders, left_out: Collection[str]
) -> Path:
    """Compile and link without the files whose stems are in `left_out`; return the path of the stage.

    Raises BuildError if a step fails.
    """
    build, objects, logs = root / "build", work / "objects", work / "logs"
    shutil.rmtree(objects, ignore_errors=True)
    objects.mkdir(parents=True)
    prctl, title = sources["python-prctl"].unpack(), sources["setproctitle"].unpack()
    python = [f"-I{library / 'Include'}", f"-I{library / 'Include' / 'internal'}", f"-I{library}"]
    headers = ["-idirafter", str(compiler.linux_headers(work / "headers"))]
    common = ["musl-gcc", *compiler.FLAGS, UNMERGED, "-DNDEBUG", *python, *headers, "-c"]

    areas = [f"-D{kind.upper()}_AREA={blocks.area(orders.blocks, kind)}" for kind in blocks.KINDS]
    own_flags: Mapping[str, list[str]] = {
        "allocator": [*ALLOCATOR, f"-DBLOCK_BYTES={blocks.RECORD.size}", *areas],
        "heap_layout": [f"-DENTRY_BYTES={blocks.ENTRY.size}"],
        "environment": ["-O2"],
    }
    folders = [build / kind for kind in KINDS]
    ours = sorted(file for folder in folders for file in folder.glob("*.[cS]") if file.stem not in left_out)
    include = build / "musl" / "include"
    core = ["-fstack-protector-strong", "-DPy_BUILD_CORE=1", f"-I{include}", f"-I{title / 'src'}"]
    core += [f"-I{folder}" for folder in folders]
    for file in ours:
        flags = [*WARNINGS, *core, *own_flags.get(file.stem, [])]
        compile_one([*common, *flags], file, objects, logs)
    compile_one([*common, f"-I{include}"], prctl / "_prctlmodule.c", objects, logs)
    version = sources["setproctitle"].version
    for name in SETPROCTITLE:
        # without HAVE_SYS_PRCTL_H: the title does not become the process's name (comm) as well
        flags = [f"-DSPT_VERSION={version}", "-Dgetenv=pyinit_setproctitle_variable"]
        compile_one([*common, *flags], title / "src" / f"{name}.c", objects, logs)

    sections.write(orders.sections, objects)
    target = work / "stage1"
    command = ["musl-gcc", "-static", "-no-pie", "-nostdlib", "-nostartfiles"]
    wishes = [f"-T,{build / 'dump' / 'snapshot.ld'}", "--gc-sections", "-z,norelro", "-z,noexecstack"]
    wishes += ["--build-id=none", "--no-warn-rwx-segments", f"-Map={work / 'stage1.map'}"]
    command += [f"-Wl,{wish}" for wish in wishes]
    command += [f"-L{objects}", "-o", str(target), str(compiler.libc().with_name("crt1.o"))]
    command += [str(each) for each in sorted(objects.glob("*.o"))]
    archives = (library / "libpyinit.a", compiler.libc())
    libraries = [*(str(unmerged(archive, objects, logs)) for archive in archives), "-lgcc"]
    command += ["-Wl,--start-group", *libraries, "-Wl,--end-group"]
    run("link", command, logs / "link.log", None, compiler.environment())
    write_offsets([*common[:-1], *WARNINGS, *core], target, objects, logs)
    return target


def write_offsets(command: list[str], stage: Path, objects: Path, logs: Path) -> None:
    """Write beside the stage what freezing/profiling/memory.py must know of CPython's structures."""
    source, program = Path(profiling.__file__).with_name("offsets.c"), objects / "offsets"
    environment = compiler.environment()
    command = [*command, "-static", "-Wl,--gc-sections", str(source), "-o", str(program)]
    run(f"compile {source.name}", command, logs / "offsets.log", None, environment)
    run("ask for offsets", [program], stage.with_suffix(".offsets"), None, environment)


def compile_one(command: list[str], file: Path, objects: Path, logs: Path) -> None:
    """One source file to one object of the same name."""
    target = objects / f"{file.stem}.o"
    environment = compiler.environment()
    command = [*command, str(file), "-o", str(target)]
    run(f"compile {file.name}", command, logs / f"{file.stem}.log", None, environment)


def unmerged(archive: Path, folder: Path, logs: Path) -> Path:
    """A copy of a library whose strings stay as they are."""
    copy = folder / archive.name
    command: list[str | Path] = ["objcopy", "--wildcard", "--set-section-flags", STRINGS, archive, copy]
    run(f"copy {archive.name}", command, logs / f"{archive.stem}.log", None, compiler.environment())
    return copy
