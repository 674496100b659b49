"""strace at work on a process that runs already."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.polling import NotInTimeError, until


def attach(pid: int, log: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start strace; once it is returned, it sees every call that this process, which sleeps, makes from then on.

    /proc has its TracerPid a moment earlier: after PTRACE_SEIZE, and before PTRACE_INTERRUPT and strace's "attached".
    """
    messages = log.with_suffix(".messages")
    with messages.open("wb") as sink:
        words = ["strace", "-o", str(log), *options, "-p", str(pid)]
        tracer = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=sink)

    def at_work() -> bool:
        if tracer.poll() is not None:
            raise NotInTimeError(f"strace ended with {tracer.returncode}: {messages.read_text()!r}")
        return b"attached" in messages.read_bytes()

    try:
        until(at_work, "strace attached")
    except BaseException:
        tracer.kill()
        tracer.wait()
        raise
    return tracer
