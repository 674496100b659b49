"""Long steps of the build: each says what it does, and a failing one says where its log is."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SIGN_OF_LIFE = 10.0  # seconds between two lines about a step that takes its time


class BuildError(SystemExit):
    """A message for whoever builds: one line, and the build ends with code 1."""

    def __init__(self, message: str) -> None:
        super().__init__(f"build: {message}")


def say(message: str) -> None:
    """One line about what is going on."""
    print(f"build: {message}", file=sys.stderr, flush=True)


def run(
    what: str,
    command: Sequence[str | bytes | Path],
    log: Path,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a command with its output in a log file.

    Raises BuildError with the step, the exit code, the log's place and its last lines if the command fails.
    """
    say(what)
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        except OSError as error:
            raise BuildError(f"{what}: {error}; `make dist` installs what is needed") from error
        while True:
            try:
                code = process.wait(SIGN_OF_LIFE)
                break
            except subprocess.TimeoutExpired:
                say(f"{what}: {time.monotonic() - start:.0f} s so far, log in {log}")
    if code != 0:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise BuildError(f"{what}: failed with code {code}; log in {log}, which ends:\n{last}")
