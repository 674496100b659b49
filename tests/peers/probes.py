"""What an init does in each case of README's table: a probe arranges it, looks, and says it in the table's words."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.commands import ENVIRONMENT, NOBODY, WITHOUT_KILL, payload, shell
from tests.support.harness import Init
from tests.support.polling import NotInTimeError, stays, until
from tests.support.tty import SUSPEND
from tests.support.types import OpenTerminal, Start
from tools.namespace import NAMESPACE

SLEEP = ["sleep", "1000"]
RECEIVE = payload("receive")
WINDOW, TRIES = 4e-3, 300  # seconds after init's exec; how many moments of them
SHORTLY = 3.0  # seconds in which what is not going to happen could have happened


class Tools:
    """One of the inits, and how to start it; `path` is its file."""

    def __init__(self, name: str, path: str, start: Start, terminal: OpenTerminal, folder: Path) -> None:
        self.name, self.path, self.terminal, self.folder = name, path, terminal, folder
        self._start = start

    def start(self, *words: str, before: Sequence[str] = (), **how: object) -> Init:
        """As PID 1 unless told otherwise; `before` becomes it. See tests/support/harness.py for the rest."""
        return self._start(*words, program=[*before, self.path], **how)


Probe = Callable[[Tools], str]
PROBES: dict[str, Probe] = {}


def row(label: str) -> Callable[[Probe], Probe]:
    """What marks the probe of the row that begins with `label`."""

    def register(probe: Probe) -> Probe:
        PROBES[label] = probe
        return probe

    return register


def settled(init: Init) -> bool:
    """Whether it has taken all signals that were sent to it, and sleeps; or has ended."""
    return init.process.poll() is not None or procfs.rests(init.pid)


@row("TERM in the first milliseconds")
def early_signal(tools: Tools) -> str:
    """At many moments around the payload's exec; as PID 1 or not makes no difference to whoever listens by then."""
    # Multiples of the golden ratio cover the window evenly, however many there are.
    delays = (number * 0.618 % 1 * WINDOW for number in range(TRIES))
    return "may be lost" if any(has_no_effect(tools, delay) for delay in delays) else "ends it"


def has_no_effect(tools: Tools, delay: float) -> bool:
    """Whether everything goes on after a TERM so many seconds after the start."""
    init = tools.start("--", *SLEEP, place="subreaper")
    time.sleep(delay)
    init.signal(signal.SIGTERM)
    until(lambda: init.process.poll() is not None or is_lost(init), "a signal's effect")
    goes_on = init.process.poll() is None
    init.close()
    return goes_on


def is_lost(init: Init) -> bool:
    """Whether the payload runs and nothing is on its way to it."""
    children = procfs.children(init.pid) if settled(init) else []
    return any(procfs.command(child) == SLEEP and procfs.rests(child) for child in children)


@row("the payload may not be signalled (EPERM)")
def not_permitted(tools: Tools) -> str:
    """It has become another user's, and init has no CAP_KILL."""
    when_told = shell('echo started; read line; exec "$@"', *NOBODY, *RECEIVE)
    init = tools.start("--", *when_told, place=[*NAMESPACE, *WITHOUT_KILL], stdin=subprocess.PIPE)
    init.expect("started\n")
    # catatonit sends the payload signal 0 at first, and ends if it may not: now and then, were this in nobody's hand.
    until(lambda: procfs.rests(init.pid), "an init that waits")
    init.end_input()
    init.expect("got is ready\n")
    init.signal(signal.SIGTERM)
    try:
        return f"ends with {init.wait(SHORTLY).code}"
    except NotInTimeError:
        return "goes on"


@row("started with SIGCHLD ignored")
def sigchld_ignored(tools: Tools) -> str:
    """The kernel then reaps all children without a word."""
    init = tools.start("--", *shell("echo ready; read line; exit 3"), prepare=["ignore=17"], stdin=subprocess.PIPE)
    init.expect("ready")
    child = init.payload
    init.end_input()
    until(lambda: not procfs.alive(child), "the payload's end")
    try:
        return "ends with the payload" if init.wait(SHORTLY).code == 3 else "?"
    except NotInTimeError:
        return "hangs"


@row("standard input is closed")
def closed_input(tools: Tools) -> str:
    """As daemons are started."""
    code = tools.start("--", *shell("exit 3"), prepare=["close=0"]).wait().code
    return "works" if code == 3 else f"ends with {code}"


@row("^Z gives the shell its prompt back")
def suspended(tools: Tools) -> str:
    """In the foreground of an interactive bash."""
    bash = tools.terminal()
    bash.prompt(0)
    bash.type(shlex.join([tools.path, "--", *SLEEP]))

    def find() -> int:
        return next((pid for pid in procfs.descendants(bash.pid) if procfs.command(pid) == SLEEP), 0)

    child = until(find, "a payload")
    until(lambda: procfs.state(child) == "S", "a payload that sleeps")
    bash.press(SUSPEND)
    try:
        bash.expect("Stopped", SHORTLY)
    except NotInTimeError:
        return "no"
    return "yes"


@row("what the payload leaves behind")
def left_behind(tools: Tools) -> str:
    """Somebody who needs half a second to end; and, where that was too long, whether he was asked at all."""
    clean_up = "trap 'sleep 0.5; echo cleaned up; exit' TERM; echo ready; sleep 1000 & wait"
    init = tools.start("--", *shell(f"({clean_up}) & read line"), stdin=subprocess.PIPE)
    init.expect("ready")
    init.end_input()
    if "cleaned up" in init.wait().stdout:
        return "TERM, time to end, KILL"
    init = tools.start("--", *shell('"$1" left & read line', *RECEIVE), place="subreaper", stdin=subprocess.PIPE)
    init.expect("left is ready")
    (left,) = procfs.children(init.payload)
    init.end_input()
    init.wait()
    until(lambda: procfs.rests(left), "all signals taken")
    kill(left)
    return "TERM, KILL at once" if "left 15 " in init.stdout else "KILL"


@row("not PID 1: orphans")
def orphans(tools: Tools) -> str:
    """Who an orphan's parent is; with tini's -s where it is not init."""
    if adopts(tools):
        return "adopted"
    return "adopted with `-s`" if tools.name == "tini" and adopts(tools, "-s") else "not adopted"


def adopts(tools: Tools, *options: str) -> bool:
    """Whether init is the parent of an orphan."""
    script = "(sleep 1000 & echo orphan $!); echo made; read line"
    init = tools.start(*options, "--", *shell(script), place="subreaper", stdin=subprocess.PIPE)
    init.expect("orphan ")
    orphan = int(init.expect("\n"))
    init.expect("made")
    adopters = (init.pid, os.getpid())
    found = until(lambda: next((pid for pid in adopters if procfs.parent(orphan) == pid), 0), "the orphan's parent")
    kill(orphan)
    return found == init.pid


@row("ABRT, SEGV and their like, sent by kill")
def fault_signals(tools: Tools) -> str:
    """Where init is not PID 1."""
    init = tools.start("--", *RECEIVE, place="subreaper")
    init.expect("got is ready\n")
    child = init.payload
    init.signal(signal.SIGABRT)
    until(lambda: settled(init), "a signal that was taken")
    if init.process.poll() is not None:
        kill(child)
        return "init dies of it"
    init.expect("got 6 ")
    return "forwarded"


@row("mask and ignored signals are handed on")
def inherited(tools: Tools) -> str:
    """One signal is blocked and another ignored when init is started."""
    init = tools.start("--", *SLEEP, prepare=["block=10", "ignore=1"])
    until(lambda: procfs.command(init.payload) == SLEEP, "a payload")
    blocked, ignored = (sorted(procfs.signals(init.payload, field)) for field in ("SigBlk", "SigIgn"))
    return "yes" if (blocked, ignored) == ([10], [1]) else "no"


@row("idle: wakes up")
def idle(tools: Tools) -> str:
    """Counted over three seconds and a half."""
    init = tools.start("--", *SLEEP)
    until(lambda: procfs.command(init.payload) == SLEEP and settled(init), "an idle init")
    before = procfs.switches(init.pid)
    stays(lambda: init.process.poll() is None, "an init", 3.5)
    return "each second" if procfs.switches(init.pid) - before >= 2 else "never"


@row("exit code: not found, not executable")
def exit_codes(tools: Tools) -> str:
    """No such program; and a file that is none."""
    return ", ".join(str(tools.start("--", word).wait().code) for word in ("no-such-program", "/etc/passwd"))


@row("takes 143 for 0")
def remapped(tools: Tools) -> str:
    """By an option; by a variable, which is all that `docker run --init` leaves."""
    script = shell("exit 143")
    told = tools.start("--", *script, environment={**ENVIRONMENT, "PYINIT_OPTIONS": "-e 143"})
    found = ["`-e`"] * (tools.start("-e", "143", "--", *script).wait().code == 0)
    found += ["a variable"] * (told.wait().code == 0)
    return ", ".join(found) or "no"


@row("rewrites signals")
def rewritten(tools: Tools) -> str:
    """HUP as USR1, by name and by number."""
    rules = {"by name": "HUP:USR1", "by number": "1:10"}
    return ", ".join(words for words, rule in rules.items() if follows(tools, rule)) or "no"


def follows(tools: Tools, rule: str) -> bool:
    """Whether HUP comes as 10 with `-r RULE`; not, when init refuses to start."""
    init = tools.start("-r", rule, "--", *RECEIVE)
    until(lambda: "is ready" in init.stdout or init.process.poll() is not None, "a start or an end")
    if init.process.poll() is not None:
        return False
    init.signal(signal.SIGHUP)
    init.expect("got 10 ")
    return True


@row("`INIT echo -h` prints")
def options_behind(tools: Tools) -> str:
    """Whose option is it?"""
    return "-h" if tools.start("echo", "-h").wait().stdout == "-h\n" else "its own help"


@row("runs in an image without libc")
def without_libc(tools: Tools) -> str:
    """In a folder that holds the file and a static program, nothing else."""
    for name in (tools.path, f"{tools.path}-static"):
        if Path(name).exists() and runs_alone(Path(name), tools):
            return "yes" if name == tools.path else f"as {Path(name).name}"
    return "no"


def runs_alone(file: Path, tools: Tools) -> bool:
    """Whether the file is enough to start a static program."""
    root = tools.folder / file.name
    root.mkdir()
    for source, name in ((file, "init"), (Path(payload("receive")[0]), "payload")):
        shutil.copy(source, root / name)
    place = ["unshare", "--pid", "--fork", "--kill-child", "chroot", str(root)]
    init = Init([], ["/init", "--", "/payload"], place=place)
    try:
        until(lambda: "is ready" in init.stdout or init.process.poll() is not None, "a start or an end")
        return init.process.poll() is None
    finally:
        init.close()


@row("size")
def size(tools: Tools) -> str:
    """Of the file."""
    count = Path(tools.path).stat().st_size
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} KB"
