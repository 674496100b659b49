"""Builds CPython's core as a static library against musl, once for every change of what goes into it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from pathlib import Path

from freezing import cache, compiler
from freezing.sources import Source
from freezing.steps import run, say

# these are extension modules by default
SETUP = "*static*\nfcntl fcntlmodule.c\nselect selectmodule.c\n_socket socketmodule.c\n"
# What every start, every signal and every orphan goes through. The rest is for size: all of it with -O2 takes half a
# megabyte more.
HOT = [f"Python/{name}.o" for name in ("ceval", "frame", "structmember")] + ["Modules/gcmodule.o"]
HOT += [f"Objects/{name}.o" for name in ("call", "descrobject", "dictobject", "methodobject", "object", "typeobject")]
HOT += [f"Objects/{name}.o" for name in ("funcobject", "listobject", "obmalloc", "tupleobject")]
# Everything but the frozen modules: the standard library's are of no use here, and making them takes half the time.
MAKEFILE = f"""include Makefile
{" ".join(HOT)}: PY_CORE_CFLAGS += -O2
libpyinit.a: $(LIBRARY_OBJS_OMIT_FROZEN)
\trm -f $@
\t$(AR) rcD $@ $^
"""
CONFIGURE = [
    "--disable-shared",
    "--disable-test-modules",
    "--without-doc-strings",
    "--without-ensurepip",
    "--without-pymalloc",
    "MODULE_BUILDTYPE=static",
    "OPT=-DNDEBUG",
    "LDFLAGS=-static -no-pie",
    f"CFLAGS={' '.join(compiler.FLAGS)}",
]
PARTS = ["libpyinit.a", "pyconfig.h", "Include"]


def library(source: Source, patch: Path, work: Path) -> Path:
    """The folder with libpyinit.a, pyconfig.h and Include. Raises BuildError if a step fails."""
    inputs = [source.sha256, patch.read_text(), SETUP, MAKEFILE, *CONFIGURE, *PARTS, compiler.fingerprint()]
    key = hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]
    folder = work / "cpython"
    archive = cache.made(f"cpython-{key}.tar", lambda: _build(source, patch, work))
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder)
    return folder


def _build(source: Source, patch: Path, work: Path) -> Path:
    say(f"CPython {source.version} is built once, then kept in {cache.folder()}")
    tree, logs, environment = source.unpack(), work / "logs", compiler.environment()
    jobs = f"-j{len(os.sched_getaffinity(0))}"
    run("CPython: patch", ["patch", "-p1", "-i", patch], logs / "patch.log", tree)
    (tree / "Modules" / "Setup.local").write_text(SETUP)
    (tree / "pyinit.mk").write_text(MAKEFILE)
    configure = ["./configure", f"CC={compiler.wrapper(work)}", *CONFIGURE]
    run("CPython: configure (20 s)", configure, logs / "configure.log", tree, environment)
    config = ["make", "Modules/config.c"]  # its first run makes the Makefile that knows SETUP
    run("CPython: choose modules", config, logs / "modules.log", tree, environment)
    make = ["make", jobs, "-f", "pyinit.mk", "libpyinit.a"]
    run("CPython: compile (40 s)", make, logs / "make.log", tree, environment)
    archive = work / "cpython.tar"
    with tarfile.open(archive, "w") as tar:
        for part in PARTS:
            tar.add(tree / part, part)
    shutil.rmtree(tree)
    return archive
