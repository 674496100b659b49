"""The table of hostile starts: what an init is started with, beside what it is to run."""

from __future__ import annotations

import itertools
import os
import resource
import signal
from collections.abc import Iterable, Iterator

from tests.long.hostile.contract import Start

EVERY = range(1, 65)
FIXED = {signal.SIGKILL, signal.SIGSTOP}
# CPython itself has ignored these: from source the payload gets them as default (signal(7)).
CPYTHONS = {signal.SIGPIPE, signal.SIGXFSZ}
# glibc keeps these for itself and lets nobody block them.
LIBCS = {32, 33}
KILOBYTE, MEGABYTE = 1 << 10, 1 << 20
# Nobody else's, nor that of tests beside this one: the kernel counts a user's processes.
USER = 20000 + os.getpid() % 40000


def bits(numbers: Iterable[int]) -> str:
    """A set of signals as the payload reports it."""
    return f"{sum(1 << (number - 1) for number in numbers):016x}"


def _streams() -> Iterator[Start]:
    for count in (1, 2, 3):
        for closed in itertools.combinations(range(3), count):
            yield Start(f"closed: {', '.join(map(str, closed))}", tuple(f"close={number}" for number in closed))


def _signals() -> Iterator[Start]:
    ignored = tuple(f"ignore={number}" for number in EVERY)
    blocked = tuple(f"block={number}" for number in EVERY)
    left = {"ignored": bits(set(EVERY) - FIXED - CPYTHONS)}
    unblocked = {"mask": bits(set(EVERY) - FIXED - LIBCS)}
    yield Start("every signal ignored", ignored, from_source=left)
    yield Start("every signal blocked", blocked, from_source=unblocked)
    yield Start("every signal ignored and blocked", ignored + blocked, from_source=left | unblocked)
    yield Start("SIGCHLD ignored", (f"ignore={signal.SIGCHLD:d}",))


def _limits() -> Iterator[Start]:
    def limited(name: str, number: int, value: int, frozen_only: bool = False) -> Start:
        return Start(name, (f"limit={number}:{value}",), frozen_only=frozen_only)

    yield limited("3 open files", resource.RLIMIT_NOFILE, 3, frozen_only=True)
    yield limited("no open file at all", resource.RLIMIT_NOFILE, 0, frozen_only=True)
    yield limited("address space: 8 MB", resource.RLIMIT_AS, 8 * MEGABYTE, frozen_only=True)
    yield limited("data: 4 MB", resource.RLIMIT_DATA, 4 * MEGABYTE, frozen_only=True)
    yield limited("stack: 64 KB", resource.RLIMIT_STACK, 64 * KILOBYTE, frozen_only=True)
    yield limited("file size: 0", resource.RLIMIT_FSIZE, 0)
    yield limited("core: 0", resource.RLIMIT_CORE, 0)
    yield limited("core: unlimited", resource.RLIMIT_CORE, -1)
    for processes, line in ((2, ""), (1, "fork failed: ")):
        user = (f"user={USER}", f"limit={resource.RLIMIT_NPROC}:{processes}")
        yield Start(f"processes: {processes}", user, line=line)


def _words() -> Iterator[Start]:
    # execve(2): words and environment may have a quarter of the stack's limit.
    room = f"limit={resource.RLIMIT_STACK}:{16 * MEGABYTE}"
    yield Start("an environment of 2 MB, odd entries", (room, "env=PATH=/bin", "env=LANG=C.UTF-8", "bulk=2048"))
    yield Start("argv[0] empty", ("argv0=",), frozen_only=True)
    yield Start("argv[0] of 100 KB", ("argv0-size=102400",), frozen_only=True)
    yield Start("no argv[0]", ("no-arguments=1",), line="no program to run", frozen_only=True)


STARTS = (
    *_streams(),
    *_signals(),
    Start("a deleted directory", ("rmcwd=/tmp/pyinit-XXXXXX",)),
    *_limits(),
    *_words(),
)
