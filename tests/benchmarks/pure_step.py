"""The pure step: events into a machine of six states, one thread, nothing stored.

The peers are ``transitions`` (as its manual begins, and as fast as it goes) and
``python-statemachine``. All judge the same events, and are in the same state after each of them.
What they are given is made beforehand: the names for the peers, the events for ours.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from statemachine import State, StateMachine
from transitions import Machine

from machines.core.definition import Definition
from machines.core.engine import step
from machines.core.loading import load
from machines.core.snapshot import Event, Snapshot

RUNS = 9
LAPS = 1_000
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RING = """\
name: Ring
initial_state: waiting
events: [new_job, fetched, passed, packed, sent, done]
transitions:
  - {from: waiting, to: fetching, event: new_job}
  - {from: fetching, to: checking, event: fetched}
  - {from: checking, to: packing, event: passed, guard: attempts < 3}
  - {from: packing, to: sending, event: packed}
  - {from: sending, to: reporting, event: sent}
  - {from: reporting, to: waiting, event: done}
"""
CONTEXT: dict[str, Any] = {"attempts": 1, "job_id": "job-7", "priority": 5}
# A lap takes six transitions; its second new_job is ignored.
LAP = ("new_job", "fetched", "new_job", "passed", "packed", "sent", "done")
EVENTS = LAP * LAPS + LAP[:4]  # to end elsewhere than it began

# Judges so many of EVENTS from the initial state on; the state it ends in.
Contender = Callable[[int], str]


def main() -> None:
    """Measure all in turn, and print medians, spread and ratios."""
    definition = load(RING, origin="ring.yaml")
    plain, fastest = _transitions(definition), _transitions_fastest(definition)
    contenders = (_ours(definition), plain, fastest, _statemachine)
    _check_alike(contenders)
    rates: list[list[float]] = [[] for _ in contenders]
    for _ in range(RUNS):
        for contender, measured in zip(contenders, rates, strict=True):
            measured.append(_events_per_second(contender))
    musts = ("must >= 10", "must >= 10", "must >= 100")
    peers = ("transitions", "transitions at its fastest", "python-statemachine")
    for peer, measured, must in zip(peers, rates[1:], musts, strict=True):
        _print(peer, rates[0], measured, must)


def _ours(definition: Definition) -> Contender:
    start = Snapshot("ring", (definition.initial_state,), CONTEXT, entered_at=NOW)
    events = [Event(name, at=NOW, id=number) for number, name in enumerate(EVENTS, start=1)]

    def judge(count: int) -> str:
        snapshot = start
        for event in events[:count]:
            snapshot = step(definition, snapshot, event, NOW).snapshot
        return snapshot.state

    return judge


class _Ring(StateMachine):
    """The ring as python-statemachine has it."""

    allow_event_without_transition = True

    waiting = State(initial=True)
    fetching = State()
    checking = State()
    packing = State()
    sending = State()
    reporting = State()

    new_job = waiting.to(fetching)
    fetched = fetching.to(checking)
    passed = checking.to(packing, cond="may_try")
    packed = packing.to(sending)
    sent = sending.to(reporting)
    done = reporting.to(waiting)

    def may_try(self) -> bool:
        return bool(CONTEXT["attempts"] < 3)


def _statemachine(count: int) -> str:
    machine = _Ring()
    send = machine.send
    for name in EVENTS[:count]:
        send(name)
    return str(machine.current_state_value)


class _Model:
    """What ``transitions`` moves from state to state; it gives it ``state`` and ``trigger``."""

    state: str
    trigger: Callable[[str], bool]

    def may_try(self) -> bool:
        return bool(CONTEXT["attempts"] < 3)


def _transitions(definition: Definition) -> Contender:
    model = _Model()
    Machine(model, **_ring(definition))

    def judge(count: int) -> str:
        model.state = definition.initial_state
        trigger = model.trigger
        for name in EVENTS[:count]:
            trigger(name)
        return model.state

    return judge


def _transitions_fastest(definition: Definition) -> Contender:
    """No automatic transitions, no queue, and each event a method that is looked up beforehand."""
    model = _Model()
    Machine(model, **_ring(definition), auto_transitions=False, queued=False)
    triggers: list[Callable[[], bool]] = [getattr(model, name) for name in EVENTS]

    def judge(count: int) -> str:
        model.state = definition.initial_state
        for trigger in triggers[:count]:
            trigger()
        return model.state

    return judge


def _ring(definition: Definition) -> dict[str, Any]:
    """The ring as ``transitions`` has it."""
    return {
        "states": list(definition.states),
        "initial": definition.initial_state,
        "transitions": [
            {
                "trigger": transition.events[0],
                "source": transition.sources[0],
                "dest": transition.target,
                "conditions": "may_try" if transition.guard else None,
            }
            for transition in definition.transitions
        ],
        "ignore_invalid_triggers": True,
    }


def _check_alike(contenders: Sequence[Contender]) -> None:
    """Raise AssertionError unless all are in the same state after each event of two laps."""
    for count in range(2 * len(LAP) + 1):
        states = [contender(count) for contender in contenders]
        if len(set(states)) > 1:
            raise AssertionError(f"after {EVENTS[:count]}: {states}")


def _events_per_second(contender: Contender) -> float:
    started = time.process_time()  # so that neighbours take no time from either side
    state = contender(len(EVENTS))
    taken = time.process_time() - started
    if state != "packing":
        raise AssertionError(f"ended in {state!r}")
    return len(EVENTS) / taken


def _print(peer: str, ours: list[float], theirs: list[float], must: str) -> None:
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    print(
        f"pure steps/s: ours {statistics.median(ours):.4g} ({min(ours):.4g}-{max(ours):.4g}),"
        f" {peer} {statistics.median(theirs):.4g} ({min(theirs):.4g}-{max(theirs):.4g}),"
        f" ratio {statistics.median(ratios):.1f} ({ratios[0]:.1f}-{ratios[-1]:.1f}), {must}"
    )


if __name__ == "__main__":
    main()
