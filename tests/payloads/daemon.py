"""daemon.py KIND...: goes to the background as daemons do, and exits with 0; each KIND is one process that it leaves.

What is left says "PID got N" for each signal N, and "PID is KIND". At USR2 it exits with 3, at QUIT with 0. A KIND may
be `NAME`, or `NAME=FILE`: its pid is written to FILE, a moment after the payload has ended. `between` is a process that
starts a daemon and ends only then. `successor`: at HUP it starts another like itself, whose pid goes to the same file.
`sour` exits with 4 before the payload ends. `late` has a session of its own only when it is sent HUP. `stopped` has
stopped itself before it was found. Anything else just waits.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

ALL = set(range(1, 65)) - {9, 19, 32, 33}
CODES: dict[int, int] = {signal.SIGUSR2: 3, signal.SIGQUIT: 0}


def say(text: str) -> None:
    os.write(1, f"{os.getpid()} {text}\n".encode())


def write_pid(file: str) -> None:
    with open(file + ".new", "w") as new:
        new.write(f"{os.getpid()}\n")
    os.rename(file + ".new", file)


def wait(name: str, file: str) -> NoReturn:
    if file:
        write_pid(file)
    say(f"is {name}")
    while True:
        number = signal.sigwait(ALL)
        say(f"got {int(number)}")
        if name == "late" and number == signal.SIGHUP:
            os.setsid()
            say("is away")
        elif name == "successor" and number == signal.SIGHUP:
            if os.fork() == 0:
                os.setsid()
                wait("heir", file)
        elif number in CODES:
            os._exit(CODES[number])


def be(kind: str, payload: int) -> NoReturn:
    name, _, file = kind.partition("=")
    if name != "late":
        os.setsid()
    if name == "sour":
        os._exit(4)
    while os.getppid() == payload:
        time.sleep(0.001)
    if name == "between":
        if os.fork() == 0:
            wait(name, file)
        time.sleep(0.02)
        os._exit(0)
    if name == "stopped":
        # The helper writes the file when it has seen the stop.
        file = stop_and_be_named(file)
    wait(name, file)


def stop_and_be_named(file: str) -> str:
    own = os.getpid()
    if os.fork() == 0:
        while Path(f"/proc/{own}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)
        time.sleep(0.1)
        with open(file, "w") as named:
            named.write(f"{own}\n")
        os._exit(0)
    os.kill(own, signal.SIGSTOP)
    return ""


signal.pthread_sigmask(signal.SIG_BLOCK, ALL)
own = os.getpid()
for word in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        be(word, own)
    if word == "sour":
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
