"""A real init's life beside the model of it: what is done to it, and what must be true at any time.

No signal is lost, none comes that was not sent, no zombie is left, nobody else is init's child, what was stopped stays
stopped until it is continued, the exit code is the payload's. Those who drive it say what happens next: a seeded plan
(`make soak`), or Hypothesis (test_state_machine.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence

from pyinit import signals
from tests.long.model.actor import COMMAND, Actor, Entered
from tests.long.model.owed import Owed
from tests.long.model.setup import Setup
from tests.long.model.watch import Watch
from tests.support import procfs
from tests.support.cleanup import kill
from tests.support.harness import Init
from tests.support.polling import NotInTimeError, until
from tests.support.users import user_of_its_own

CHLD, CONT, KILL, STOP = (int(each) for each in (signal.SIGCHLD, signal.SIGCONT, signal.SIGKILL, signal.SIGSTOP))
FORWARDED = sorted(signals.ALL - {KILL, STOP, CHLD})
# These discard each other while they wait to be taken (signal(7)).
DISCARDING = signals.JOB_CONTROL | {CONT}


class Broken(AssertionError):
    """The init did something else than the model."""


class Orphan:
    """A living orphan: its pid as we see it, whether it left the payload's group, whether it is stopped."""

    def __init__(self, pid: int, away: bool) -> None:
        self.pid = pid
        self.away = away
        self.stopped = False


class Life:
    """One init with an actor as its payload, as a user of their own. `steps` is what has happened, a line for each."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.steps: list[str] = []
        self.sent = self.orphaned = self.checks = 0
        self._sent_before = 0
        self.held = self.stopped = False
        self.orphans: list[Orphan] = []
        self.entered: list[Entered] = []
        self._owed = Owed()
        self.init = Init(
            [*user_of_its_own(), *setup.program],
            [*setup.words, *COMMAND],
            place=setup.place,
            environment=setup.environment,
            stdin=subprocess.PIPE,
        )
        assert self.init.process.stdin
        self.payload = Actor(self.init.process.stdin, self.init.expect)
        self.watch = Watch(self.init.pid)
        self.init.payload  # noqa: B018  # looked up while there is no other child

    @property
    def answers(self) -> bool:
        """Whether the payload can be told something."""
        return not self.stopped

    @property
    def waiting(self) -> int:
        """How many signals init was sent since it was stopped last."""
        return self.sent - self._sent_before

    def signal(self, *numbers: int) -> None:
        """Send signals to init, one right after the other; CONT and the stop signals only alone."""
        times = Counter(signals.name(number) for number in numbers)
        self._step("signal", *(f"{name} x{count}" if count > 1 else name for name, count in times.items()))
        for number in numbers:
            self._send(number)

    def _send(self, number: int) -> None:
        self.init.signal(number)
        self.sent += 1
        if number in signals.JOB_CONTROL and "-S" in self.setup.options:
            # They come as STOP there: for a group without a parent in its session the kernel would drop them.
            self._stopped_by_init()
        elif arriving := self.setup.rewrite.get(number, number):
            self._owed.sent(number, arriving)
            if self.stopped and {number, arriving} & signals.STOP_SIGNALS:
                # CONT follows a stop signal for a payload that is stopped; init takes it when it is not held itself.
                self._owed.may_come(CONT)
                if not self.held:
                    self._continued()
        if number == CONT:
            self._continued()

    def can_take(self, number: int) -> bool:
        """Whether the kernel would keep this signal whatever else is waiting."""
        return number not in DISCARDING or not (self.held or self.stopped)

    def hold(self) -> None:
        """Stop init itself: from now on it finds everything at once, when it is released."""
        self._step("hold")
        self.init.signal(STOP)
        until(lambda: procfs.state(self.init.pid) == "T", "init's stop")
        self.held = True
        self._sent_before = self.sent

    def release(self) -> None:
        """Continue init."""
        self._step("release")
        self.held = False
        self._send(CONT)

    def stop(self) -> None:
        """Stop the payload, on purpose and from outside."""
        self._step("stop")
        os.kill(self.init.payload, STOP)
        self.stopped = True
        self._await(lambda: procfs.state(self.init.payload) == "T", "the payload's stop")

    def resume(self) -> None:
        """Continue the payload, by way of init."""
        self._step("resume")
        self._send(CONT)

    def _continued(self) -> None:
        self.stopped = False
        for each in self._reached():
            each.stopped = False

    def _stopped_by_init(self) -> None:
        self.stopped = True
        for each in self._reached():
            each.stopped = True
        pids = [self.init.payload, *(each.pid for each in self._reached())]
        self._await(lambda: all(procfs.state(pid) == "T" for pid in pids), "the stop of all that init reaches")

    def _reached(self) -> list[Orphan]:
        """The orphans that get what init sends: with -g those of the payload's group, with -a all."""
        everyone, group = "-a" in self.setup.options, "-g" in self.setup.options
        return [each for each in self.orphans if everyone or (group and not each.away)]

    def orphan(self, away: bool = False, by: int | None = None) -> Orphan:
        """Have a living orphan made by the payload, or by one who was let in."""
        self._step("orphan", *(["away"] if away else []), *([] if by is None else [f"by entered {by}"]))
        maker = self.payload if by is None else self.entered[by].actor
        number = maker.ask("orphan away" if away else "orphan")[0]
        self.orphaned += 1
        pid = until(lambda: self._outer(number), "the orphan as init's child")
        # Whoever was let in has another group than the payload.
        self.orphans.append(Orphan(pid, away or by is not None))
        return self.orphans[-1]

    def _outer(self, number: str) -> int:
        """The pid that we see of a child of init's that has this number in its namespace."""
        for pid in procfs.children(self.init.pid):
            if procfs.status(pid).get("NSpid", "").split()[-1:] == [number]:
                return pid
        return 0

    def end_orphan(self, index: int) -> None:
        """Kill an orphan."""
        self._step("end orphan", index)
        pid = self.orphans.pop(index).pid
        kill(pid)
        until(lambda: not procfs.alive(pid), "the orphan's end")

    def stop_orphan(self, index: int) -> None:
        """Stop an orphan."""
        self._step("stop orphan", index)
        pid = self.orphans[index].pid
        os.kill(pid, STOP)
        until(lambda: procfs.state(pid) == "T", "the orphan's stop")
        self.orphans[index].stopped = True

    def continue_orphan(self, index: int) -> None:
        """Continue an orphan."""
        self._step("continue orphan", index)
        os.kill(self.orphans[index].pid, CONT)
        self.orphans[index].stopped = False

    def vanish(self, count: int, by: int | None = None) -> None:
        """Have orphans made that end at once, by the payload or by one who was let in."""
        self._step("vanish", count, *([] if by is None else [f"by entered {by}"]))
        maker = self.payload if by is None else self.entered[by].actor
        maker.ask(f"vanish {count}")
        self.orphaned += count

    def neglect(self, count: int) -> None:
        """Have the payload leave children of its own un-reaped: they are init's when it has ended."""
        self._step("neglect", count)
        self.payload.ask(f"neglect {count}")

    def enter(self) -> Entered:
        """Let somebody into the namespace."""
        self._step("enter")
        self.entered.append(self.visit())
        return self.entered[-1]

    def visit(self) -> Entered:
        """Let somebody in of whom the model does not know."""
        return Entered(self.init.pid, [*user_of_its_own(), *COMMAND])

    def leave(self, index: int) -> None:
        """Somebody who was let in goes."""
        self._step("leave", index)
        self.expect(self.entered.pop(index).leave(), 0, "the exit code of one who was let in")

    def finish(self, way: str, number: int = KILL, late: Sequence[int] = ()) -> None:
        """End the payload: `exit` with a code, `die` by a signal of its own, `kill` from outside; check what comes.

        `late` are signals that init finds together with the payload's end.
        """
        if self.held:
            self.release()
        if self.stopped and way != "kill":
            self.resume()
        self.check()
        if late:
            self.hold()
        self._step(way, number)
        if way == "kill":
            os.kill(self.init.payload, number)
        else:
            self.payload.tell(f"{way} {number}")
        if late:
            until(lambda: not procfs.alive(self.init.payload), "the payload's end")
            self.signal(*late)
            self.release()
        self._ended(number if way == "exit" else 128 + number)

    def _ended(self, code: int) -> None:
        """The payload has ended, and init must."""
        self.checks += 1
        try:
            outcome = self.init.wait(self.setup.patience)
        except NotInTimeError as late:
            raise self._broken(str(late)) from None
        self.expect(outcome.code, code, "the exit code")
        for each in self.orphans:
            self.expect(procfs.alive(each.pid), False, "an orphan outlives init")
        self.expect("Traceback" in outcome.stderr or "internal" in outcome.stderr, False, "an error of init's own")

    def check(self) -> None:
        """Look whether everything is as the model says."""
        self.checks += 1
        try:
            if self.init.process.poll() is not None:
                raise self._broken(f"init has ended: {self.init.wait()}")
            if self.held:
                return
            self.init.idle(self.setup.patience)
            self.watch.only({self.init.payload, *(each.pid for each in self.orphans)})
            for each in self.orphans:
                self.expect(procfs.state(each.pid) == "T", each.stopped, f"orphan {each.pid} is stopped")
            self.expect(procfs.state(self.init.payload) == "T", self.stopped, "the payload is stopped")
            if self.answers and (wrong := self._owed.settled(self.payload.took())):
                raise self._broken(wrong)
        except NotInTimeError as late:
            raise self._broken(str(late)) from None

    def expect(self, found: object, wanted: object, what: str) -> None:
        """Raise Broken unless something is as it should be."""
        if found != wanted:
            raise self._broken(f"{what}: {found}, not {wanted}")

    def most(self, what: str, found: int, limit: int) -> None:
        """Raise Broken if it is more than the limit."""
        if found > limit:
            raise self._broken(f"{what}: {found}, more than {limit}")

    def close(self) -> None:
        """End whatever is there still."""
        for each in self.entered:
            each.end()
        self.init.close()
        for orphan in self.orphans:
            kill(orphan.pid)

    def _await(self, condition: Callable[[], object], what: str) -> None:
        try:
            until(lambda: bool(condition()), what, self.setup.patience)
        except NotInTimeError as late:
            raise self._broken(str(late)) from None

    def _step(self, *words: object) -> None:
        self.steps.append(" ".join(str(word) for word in words))

    def _broken(self, what: str) -> Broken:
        steps = "\n".join(f"  {number:3} {step}" for number, step in enumerate(self.steps, 1))
        error = self.init.stderr[-500:]
        return Broken(f"{what}\n{self.setup}\n{steps}\nstandard error: {error!r}")
