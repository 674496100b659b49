"""fake_proc.py KIND PROGRAM [ARG...]: execute a program where something else than the kernel's /proc is mounted.

It has the program itself, whose parent is process 1, and what KIND says. A payload that is root can mount such a /proc.
"""

import os
import subprocess
import sys
from collections.abc import Callable

OWN = os.getpid()
# Any that no process of the test has.
OTHER = 30000


def write(path: str, text: str) -> None:
    """Write a file of /proc, and the folders that it is in."""
    os.makedirs(os.path.dirname(f"/proc/{path}"), exist_ok=True)
    with open(f"/proc/{path}", "w") as file:
        file.write(text)


def endless(path: str) -> None:
    """Put a file of zeros without end in its place."""
    os.makedirs(os.path.dirname(f"/proc/{path}"), exist_ok=True)
    if os.path.exists(f"/proc/{path}"):
        os.unlink(f"/proc/{path}")
    os.symlink("/dev/zero", f"/proc/{path}")


def process(pid: int, parent: object = 0, command: str = "fake", state: str = "S", started: object = 5) -> None:
    """Add a process."""
    fields = [f"{pid} ({command}) {state}", parent, pid, pid, *[0] * 11, 20, 0, 1, 0, started, *[0] * 30]
    write(f"{pid}/stat", " ".join(map(str, fields)) + "\n")
    write(f"{pid}/status", f"Name:\tfake\nUid:\t0\t0\t0\t0\nVmRSS:\t8 kB\nNSpid:\t{pid}\nSigIgn:\t{0:016x}\n")


def no_numbers() -> None:
    """Put words, and numbers that no kernel has, where numbers should be."""
    process(OTHER)
    write(f"{OTHER}/status", f"Name:\tfake\nUid:\nVmRSS:\t{'9' * 5000} kB\nSigIgn:\tnone\n")
    process(OTHER + 1)
    write(f"{OTHER + 1}/status", "Uid:\tx\ty\tz\nVmRSS:\nSigIgn:\n")
    write(f"{OWN}/task/{OWN}/children", "one -2 3_0 \u0663 99999999999999999999")
    write("loadavg", "0 0 0 1/2 99999999999999999999")


def chain() -> None:
    """Add a long line of children's children, the first of whose parents is not there."""
    for pid in range(OTHER, OTHER + 3000):
        process(pid, pid - 1)


def circle() -> None:
    """Put the program below its own descendant, and two processes below each other."""
    process(OWN, OTHER)
    process(OTHER, OWN)
    process(OTHER + 1, OTHER + 2)
    process(OTHER + 2, OTHER + 1)


def endless_files() -> None:
    """Make all files endless."""
    process(OTHER)
    for path in (f"{OTHER}/stat", f"{OTHER}/status", f"{OTHER}/cmdline", "loadavg", f"{OWN}/task/{OWN}/children"):
        endless(path)


def stranger() -> None:
    """Show the program's parent as its child."""
    process(os.getppid(), OWN)
    write(f"{OWN}/task/{OWN}/children", f"{os.getppid()} ")


def many() -> None:
    """Add more processes than a machine has."""
    for pid in range(OTHER, OTHER + 70000):
        os.mkdir(f"/proc/{pid}")


KINDS: dict[str, Callable[[], None]] = {
    "a pid over 2^22": lambda: process(99999999999, OWN),
    "a pid in other digits": lambda: os.mkdir("/proc/\u0661\u0662"),
    "a parent over 2^22": lambda: process(OTHER, 10**30),
    "a start after 2^63": lambda: process(OTHER, OWN, started=10**30),
    "a start of 400 digits": lambda: process(OTHER, OWN, started=10**400),
    "a start of 5000 digits": lambda: process(OTHER, OWN, started="9" * 5000),
    "no numbers": no_numbers,
    "a chain": chain,
    "a circle": circle,
    "endless files": endless_files,
    "an endless status of its own": lambda: endless("self/status"),
    "too many": many,
    "a stranger": stranger,
    "paint": lambda: process(OTHER, OWN, "\x1b[31m\n\x9b", "\x1b[32m\x9b"),
}


def main() -> None:
    """Mount it and execute the program."""
    kind, *program = sys.argv[1:]
    subprocess.run(["mount", "-t", "tmpfs", "none", "/proc"], check=True)
    process(OWN, 0 if OWN == 1 else 1)
    os.symlink(str(OWN), "/proc/self")
    KINDS[kind]()
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
