"""Performing an action of a rehearsal: the script's answer, else in memory, else as assumed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from machines.actions.base import ActionType, Services
from machines.core.decisions import Perform
from machines.core.settling import Outcome
from machines.core.signatures import Kind, Signature
from machines.core.snapshot import Snapshot
from machines.core.turn import ActionRef, Subscription
from machines.rehearsal.answers import Answer, outcome_of
from machines.rehearsal.effects import attempt, call_for
from machines.rehearsal.effects import perform as perform_effect
from machines.rehearsal.neighbours import check_machine_state, takes_part
from machines.rehearsal.stage import Stage
from machines.rehearsal.story import How

ANSWER: Subscription = ("answer",)  # what a wait awaits whose answer takes time


@dataclass(frozen=True, slots=True)
class Performance:
    """What comes of an action. ``takes``: how long it runs; None if it is no work.

    ``leaves_traces``: it did something even if it found nothing.
    """

    outcome: Outcome
    how: How
    takes: timedelta | None = None
    leaves_traces: bool = True


Kept = dict[ActionRef, Performance]  # what is answered when a wait is over


def perform(
    stage: Stage,
    machine: str,
    snapshot: Snapshot,
    decision: Perform,
    services: Services,
    kept: Kept,
) -> Performance:
    """What an action that is taken up comes to. Never raises for what stands in the file."""
    if decision.resumed == ANSWER and decision.ref in kept:
        return kept.pop(decision.ref)
    action = decision.action
    found = stage.types.get(action.type)
    scripted = stage.script.answer(machine, snapshot.state, action.type, decision.ref)
    signature = stage.signatures.get(action.type) or Signature(action.type, Kind.WORK, open=True)
    if scripted is not None:
        return _answered(stage, snapshot, decision, signature, scripted, How.SCRIPT, kept)
    if found is None:
        unknown = Outcome(error=stage.types.suggestion(action.type))
        return Performance(unknown, How.PERFORMED)
    outcome = _in_memory(stage, found, decision, snapshot, services)
    if outcome is not None:
        return Performance(outcome, How.PERFORMED, leaves_traces=not found.only_looks)
    guess = stage.guesses.answer(action, signature)
    return _answered(stage, snapshot, decision, signature, guess, How.ASSUMED, kept)


def _in_memory(
    stage: Stage, found: ActionType, decision: Perform, snapshot: Snapshot, services: Services
) -> Outcome | None:
    """What it answers if all that it needs is here; None if it has to be answered for."""
    if found.origin is not None or found.work is not None:
        return None
    call = call_for(found, decision, snapshot, services)
    if found.name == "check_machine_state" and takes_part(call, stage):
        return attempt(lambda asked: check_machine_state(asked, stage), call)
    return perform_effect(found, decision, snapshot, services, with_jobs=True)


def _answered(
    stage: Stage,
    snapshot: Snapshot,
    decision: Perform,
    signature: Signature,
    answer: Answer,
    how: How,
    kept: Kept,
) -> Performance:
    outcome = outcome_of(answer, decision.action, signature, snapshot)
    takes = (
        stage.work_takes if answer.takes_seconds is None
        else timedelta(seconds=answer.takes_seconds)
    )  # fmt: skip
    if signature.kind is Kind.WORK:
        return Performance(outcome, how, takes)
    performance = Performance(_nothing_found(outcome, decision, signature), how)
    if signature.kind is Kind.WAIT and takes:
        kept[decision.ref] = performance
        return Performance(Outcome(awaits=ANSWER, delay=takes), how)
    return performance


def _nothing_found(outcome: Outcome, decision: Perform, signature: Signature) -> Outcome:
    """A check that is said to find nothing lets its machine idle, as a real one does."""
    raises = signature.events(decision.action).get(outcome.event or "")
    if raises is None or raises.key != "empty":
        return outcome
    return replace(outcome, nothing=(*ANSWER, decision.action.type))
