"""One life of an init with one fault in it: start, a signal, five orphans, TERM, the payload's exit code 42.

strace is attached to the init alone, while it still is payloads/gate.c (from source gate.py): so it sees the first
system call, is not the init's parent, and lets the payload be.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pyinit import exit_codes
from tests.long.faults import calls
from tests.support import procfs
from tests.support.cleanup import left_running
from tests.support.commands import ENVIRONMENT, compiled, payload
from tests.support.harness import Init
from tests.support.outcomes import CRASHED, ENDED, HELD, HUNG, LEFT, LOST, SILENT, UNREACHED, WRONG
from tests.support.polling import PATIENCE, NotInTimeError, until
from tests.support.strace import attach
from tools.tree import ROOT

GATE = ROOT / "tests" / "payloads" / "gate.py"
END = signal.SIGRTMIN
CODE = 42
STEPS = ["ready", "orphans", "TERM"]
BY_TERM = 128 + signal.SIGTERM
REPEATS = 3
# The calls an init waits for signals in.
WAITS = frozenset({"rt_sigtimedwait", "read", "poll", "ppoll"})
# A fault of the processor's. A tracer keeps it from ending PID 1 (force_sig_info_to_task), which then has it for ever.
CRASH = re.compile(r"^--- SIG(?:SEGV|BUS|ILL|FPE) \{.*si_code=(?!SI_USER|SI_TKILL|SI_QUEUE)", re.MULTILINE)
# Not kill(pid, 0), which asks and sends nothing.
REFUSED = re.compile(r"^kill\(.*, SIG\w+\) .*\(INJECTED\)$", re.MULTILINE)
SENT_END = re.compile(r"kill\(.*SIGRT_2\)|kill\(.*SIGRTMIN\)")


class Fault(NamedTuple):
    """What goes wrong: the `nth` call of `call` fails with `error`, or TERM arrives as it is made.

    `always`: every one from the nth on.
    """

    call: str
    nth: int
    error: str
    always: bool = False

    def inject(self) -> list[str]:
        """strace's option."""
        what = "signal=TERM" if self.is_signal else f"error={self.error}"
        return ["-e", f"inject={self.call}:{what}:when={self.nth}{'+' if self.always else ''}"]

    @property
    def is_signal(self) -> bool:
        """Whether it is a signal that arrives."""
        return self.error == "TERM"

    def __str__(self) -> str:
        return f"{self.call}#{self.nth}{'+' if self.always else ''} {self.error}"


class _Ending(NamedTuple):
    outcome: str
    code: int
    out: list[str]
    text: str


class Result(NamedTuple):
    """How an init took it: the outcome, and what shows it."""

    fault: Fault | None
    outcome: str
    detail: str
    trace: str


class Candidate(NamedTuple):
    """An init under test: its name, the words before the payload's, where it runs, the seconds for each step.

    A quiet machine needs a fifth of one; one that is too busy must not fail pyinit. `talks` is whether it says more
    than why it ends.
    """

    name: str
    words: Sequence[str]
    place: str
    interpreted: bool = False
    patience: float = PATIENCE
    talks: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether it has to end as pyinit ends."""
        return self.name.startswith("pyinit")

    def behind(self, gate: int) -> list[str]:
        """The words that start it as soon as the descriptor `gate` can be read."""
        if self.interpreted:
            return [sys.executable, str(GATE), str(gate), *self.words]
        return [str(compiled("gate")), str(gate), *self.words]

    def run(self, fault: Fault | None = None) -> Result:
        """Live one life with this fault in it."""
        with tempfile.TemporaryDirectory(prefix="pyinit-faults-") as folder:
            return _Life(self, fault, Path(folder) / "log").run()


class _Life:
    def __init__(self, candidate: Candidate, fault: Fault | None, log: Path) -> None:
        self._candidate = candidate
        self._fault = fault
        self._is_signal = bool(fault and fault.is_signal)
        self._log = log
        self._refused = 0
        self._others = set(procfs.children(os.getpid()))
        reading, self._gate = os.pipe2(os.O_CLOEXEC)
        self._init = Init(
            candidate.behind(reading),
            payload("steps"),
            place=candidate.place,
            # The interpreter's own calls of brk and mmap depend on the seed.
            environment={**ENVIRONMENT, "PYTHONHASHSEED": "0"},
            pass_fds=(reading,),
        )
        os.close(reading)
        self._others.add(self._init.process.pid)

    def run(self) -> Result:
        try:
            tracer = self._attach()
            try:
                ending = self._live()
            finally:
                tracer.kill()
                tracer.wait()
                trace = self._trace()
        finally:
            self._init.close()
            left = left_running(self._others, self._candidate.patience)
        if left:
            ending = ending._replace(outcome=LEFT, text=f"{ending.text}; left: {', '.join(left)}")
        return Result(self._fault, self._judged(ending, trace), ending.text, trace)

    def _attach(self) -> subprocess.Popen[bytes]:
        pid = self._init.pid
        until(lambda: procfs.sleeping_in(pid) == "readv", "the gate")
        try:
            return attach(pid, self._log, *(self._fault.inject() if self._fault else []))
        finally:
            os.close(self._gate)

    def _live(self) -> _Ending:
        try:
            self._steps()
            return self._end()
        except NotInTimeError as late:
            return _Ending(CRASHED if self._has_crashed() else HUNG, 0, [], str(late))

    def _steps(self) -> None:
        """Ask for one part after the other; whatever happens, stop when the init has ended."""
        init = self._init.pid
        self._until(lambda: "ready" in self._lines(), "ready")
        self._ask(signal.SIGUSR1, "orphans")
        self._until(lambda: len(procfs.children(init)) <= 1, "the orphans reaped")
        if self._fault is None:
            # A flaw that shows when two things come together must not: there is no fault to bring it out.
            self._until(lambda: procfs.rests(init), "an init that waits")
        if not self._is_signal:
            self._ask(signal.SIGTERM, "TERM")
        self._ask(END, "")

    def _ask(self, number: int, answer: str) -> None:
        """Send a signal, and again if the fault was that the forwarding was refused; await the answer."""
        self._send(self._init.pid, number)

        def answered() -> bool:
            if answer and answer in self._lines():
                return True
            refused = len(REFUSED.findall(self._trace()))
            if refused > self._refused:
                self._refused = refused
                if refused < REPEATS:
                    self._send(self._init.pid, number)
                else:
                    # An init whose every kill is refused can do no more: the payload is told from outside.
                    for child in procfs.children(self._init.pid):
                        self._send(child, number)
            return False

        self._until(answered, answer or "the end")

    def _send(self, pid: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        def done() -> bool:
            if self._has_crashed():
                raise NotInTimeError(f"crashed before: {what}")
            return condition() or self._init.process.poll() is not None

        until(done, what, self._candidate.patience)

    def _has_crashed(self) -> bool:
        return bool(CRASH.search(self._trace()))

    def _lines(self) -> list[str]:
        return self._init.stdout.splitlines()

    def _trace(self) -> str:
        try:
            return self._log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def _end(self) -> _Ending:
        self._until(lambda: False, "the end")
        code, out, err = self._init.wait()
        outcome = self._outcome(code, out.splitlines(), err.splitlines())
        return _Ending(outcome, code, out.splitlines(), f"{code}, {' '.join(out.split())}; {err.strip()}")

    def _outcome(self, code: int, out: list[str], err: list[str]) -> str:
        if code < 0 or any("Traceback" in line for line in err):
            return CRASHED
        if self._is_signal and code == BY_TERM:
            return HELD
        if code == CODE:
            # With TERM as the fault, how often it may come depends on when it was sent.
            steps = [line for line in out if line != "TERM"] if self._is_signal else out
            return HELD if steps == (["ready", "orphans"] if self._is_signal else STEPS) else LOST
        if code == 0 or (self._candidate.is_ours and code != exit_codes.INTERNAL):
            return WRONG
        if not err or (self._candidate.is_ours and not self._candidate.talks and len(err) > 1):
            return SILENT
        return ENDED

    def _judged(self, ending: _Ending, trace: str) -> str:
        """Whether the fault happened at all, and whether a TERM that did was passed on, exactly once."""
        fault = self._fault
        if fault is None or ending.outcome != HELD:
            return ending.outcome
        made = calls.made(trace, self._candidate.interpreted)
        line = next((each.line for each in made if each.name == fault.call and each.nth >= fault.nth), -1)
        if line < 0:
            return UNREACHED
        if not fault.is_signal or line >= _last_wait(trace, made):
            return HELD
        came = 1 if ending.code == BY_TERM else ending.out.count("TERM")
        return HELD if came == 1 else LOST


def _last_wait(trace: str, made: Sequence[calls.Call]) -> int:
    """The line of the wait that took the signal which ends the payload: what comes later may be too late."""
    lines = trace.splitlines()
    last = 0
    for each in made:
        if each.name in WAITS:
            last = each.line
        if SENT_END.match(lines[each.line]):
            return last
    return last
