"""The hand that moves a configuration: decisions and answers, carried out by the core."""

from dataclasses import replace

from machines.core import decisions, engine, settling
from machines.core.decisions import FINISH, NEW_ROUND, Decision, Judge, Perform
from machines.core.definition import Definition
from machines.core.settling import Outcome, Settled
from machines.core.snapshot import Event
from machines.core.turn import Turn, Work
from machines.rehearsal.configurations import (
    SOME_TIME,
    Configuration,
    cleared,
    set_timer,
)


class Hand:
    """Changes configurations in place; ``taken`` says which transitions did.

    Every method returns True: it has been done.
    """

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self.taken: list[int] = []

    def forget(self) -> None:
        """Begin another move."""
        self.taken = []

    def go_on(self, after: Configuration, decision: Decision) -> bool:
        """Do what the machine does by itself."""
        if isinstance(decision, Judge):
            return self.judge(after, decision.event)
        if decision is FINISH:
            after.finished = True
        elif decision is NEW_ROUND:
            after.snapshot = decisions.new_round(self._definition, after.snapshot)
        else:
            after.snapshot = decisions.idle(after.snapshot)
        return True

    def begin_work(self, after: Configuration, performed: Perform) -> bool:
        """Let an action begin to run outside."""
        work = Work(performed.ref, "", performed.attempt)
        snapshot = decisions.take_up(after.snapshot)
        after.snapshot = replace(snapshot, turn=replace(snapshot.turn, work=work))
        return True

    def settle(self, after: Configuration, performed: Perform, outcome: Outcome) -> bool:
        """End an action, or the work that runs."""
        if outcome.finish:
            after.finished = True
            after.snapshot = replace(after.snapshot, turn=Turn())
            return True
        worked = after.snapshot.turn.work is not None
        settled = settling.settle(
            self._definition,
            after.snapshot if worked else decisions.take_up(after.snapshot),
            performed,
            outcome,
            now=SOME_TIME,
            chance=1.0,
            worked=worked,
        )
        retry = performed.action.retry
        return self.settled(after, settled, jitter=retry is not None and retry.jitter)

    def settled(self, after: Configuration, settled: Settled, *, jitter: bool = False) -> bool:
        """Take over what came of an action."""
        after.snapshot = settled.snapshot
        if settled.deadline is not None:
            is_retry = settled.deadline.name == "retry"
            set_timer(after, settled.deadline, jitter=jitter and is_retry)
        return True if settled.event is None else self.judge(after, settled.event)

    def judge(self, after: Configuration, event: Event) -> bool:
        """Judge an event now."""
        step = engine.step(self._definition, after.snapshot, event, SOME_TIME)
        after.snapshot = step.snapshot
        if step.taken is None:
            return True
        self.taken.append(step.taken.index)
        if step.left:
            cleared(after)
        for deadline in step.deadlines:
            set_timer(after, deadline)
        return True
