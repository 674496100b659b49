"""The life as Hypothesis' state machine: every order of what can happen, and a failure made as short as it can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.long.model.actor import Entered
from tests.long.model.life import DISCARDING, KILL, Broken, Life, Orphan
from tests.long.model.setup import Setup
from tests.long.soak.plan import BURST, FATAL

ENDS = st.one_of(
    st.tuples(st.just("exit"), st.integers(0, 255)),
    st.tuples(st.just("die"), st.sampled_from(FATAL)),
    st.just(("kill", KILL)),
)


class Machine(RuleBasedStateMachine):
    """One life by the rules. `setups` are the inits that it may be of."""

    setups: ClassVar[Sequence[Setup]]
    orphans: Bundle[Orphan] = Bundle("orphans")
    entered: Bundle[Entered] = Bundle("entered")

    def __init__(self) -> None:
        super().__init__()
        self.life: Life | None = None
        self._end: tuple[str, int, list[int]] = ("exit", 0, [])
        self._failed = False

    @property
    def _life(self) -> Life:
        assert self.life
        return self.life

    def _runs(self) -> bool:
        return not self._life.held and not self._life.stopped

    def _answers(self) -> bool:
        return self._life.answers

    def _can_be_entered(self) -> bool:
        return self._life.setup.place == "pid1"

    @initialize(index=st.integers(0, 100), end=ENDS, late=st.lists(st.sampled_from(BURST), max_size=3))
    def begin(self, index: int, end: tuple[str, int], late: list[int]) -> None:
        """Start the init, and know how its payload will end, and which signals will come right then."""
        self._end = (*end, late)
        self.life = Life(self.setups[index % len(self.setups)])

    @rule(numbers=st.lists(st.sampled_from(BURST), min_size=1, max_size=40))
    def signal(self, numbers: list[int]) -> None:
        """Send signals, one right after the other."""
        self._life.signal(*numbers)

    @precondition(_runs)
    @rule(number=st.sampled_from(sorted(DISCARDING)))
    def signal_of_job_control(self, number: int) -> None:
        """Send one of those that discard each other."""
        self._life.signal(number)

    @precondition(lambda self: not self._life.held)
    @rule()
    def hold(self) -> None:
        """Stop init."""
        self._life.hold()

    @precondition(lambda self: self._life.held)
    @rule()
    def release(self) -> None:
        """Continue init."""
        self._life.release()

    @precondition(_runs)
    @rule()
    def stop(self) -> None:
        """Stop the payload."""
        self._life.stop()

    @precondition(lambda self: self._life.stopped and not self._life.held)
    @rule()
    def resume(self) -> None:
        """Continue the payload."""
        self._life.resume()

    @precondition(_answers)
    @rule(target=orphans, away=st.booleans())
    def orphan(self, away: bool) -> Orphan:
        """Have the payload make an orphan."""
        return self._life.orphan(away)

    @rule(target=orphans, by=entered)
    def orphan_by(self, by: Entered) -> Orphan:
        """Have somebody who was let in make an orphan."""
        return self._life.orphan(by=self._life.entered.index(by))

    @rule(orphan=consumes(orphans))
    def kill(self, orphan: Orphan) -> None:
        """End an orphan."""
        self._life.end_orphan(self._life.orphans.index(orphan))

    @rule(orphan=orphans)
    def stop_orphan(self, orphan: Orphan) -> None:
        """Stop an orphan."""
        self._life.stop_orphan(self._life.orphans.index(orphan))

    @rule(orphan=orphans)
    def continue_orphan(self, orphan: Orphan) -> None:
        """Continue an orphan."""
        self._life.continue_orphan(self._life.orphans.index(orphan))

    @precondition(_answers)
    @rule(count=st.integers(1, 40))
    def vanish(self, count: int) -> None:
        """Have the payload make orphans that end at once."""
        self._life.vanish(count)

    @precondition(_answers)
    @rule(count=st.integers(1, 4))
    def neglect(self, count: int) -> None:
        """Have the payload not wait for its children."""
        self._life.neglect(count)

    @precondition(_can_be_entered)
    @rule(target=entered)
    def enter(self) -> Entered:
        """Let somebody into the namespace."""
        return self._life.enter()

    @rule(by=entered, count=st.integers(1, 40))
    def vanish_by(self, by: Entered, count: int) -> None:
        """Have somebody who was let in make orphans that end at once."""
        self._life.vanish(count, self._life.entered.index(by))

    @rule(one=consumes(entered))
    def leave(self, one: Entered) -> None:
        """Somebody who was let in goes."""
        self._life.leave(self._life.entered.index(one))

    @invariant()
    def as_the_model_says(self) -> None:
        """Look at the init after each rule."""
        try:
            self._life.check()
        except Broken:
            self._failed = True
            raise

    def teardown(self) -> None:
        """End the payload, unless there has been a failure."""
        if not self.life:
            return
        try:
            if not self._failed:
                self.life.finish(*self._end)
        finally:
            self.life.close()


def machine(*setups: Setup) -> type[Machine]:
    """The state machine for these inits."""
    return type("Machine", (Machine,), {"setups": setups})
