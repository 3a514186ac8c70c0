"""Alternatives: everything that an action may come to, from what its signature says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from machines.actions.base import ActionType
from machines.actions.registry import Registry
from machines.core.decisions import Perform
from machines.core.definition import Definition
from machines.core.engine import names
from machines.core.interpolation import interpolate
from machines.core.settling import ERROR, Outcome
from machines.core.signatures import ERROR_KEYS, Kind, Raises, Signature, ValueKind
from machines.core.snapshot import Snapshot
from machines.core.turn import Subscription
from machines.core.waiting import Waiting
from machines.rehearsal.configurations import SOME_TIME
from machines.rehearsal.effects import RehearsalServices, perform
from machines.rehearsal.moves import GOES_ON, Move, MoveKind
from machines.rehearsal.relevance import lists
from machines.rehearsal.unknowns import ANY_JOB, MARK, UNKNOWN, Depends, known

ANYTHING: Subscription = ("anything",)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way an action may end. ``guess``: it hangs on a value that is not known."""

    move: Move
    outcome: Outcome
    guess: bool = False


class Alternatives:
    """What the actions of one machine may come to."""

    def __init__(self, definition: Definition, registry: Registry, keys: frozenset[str]) -> None:
        """``keys``: those of the context that matter."""
        self._definition = definition
        self._registry = registry
        self._signatures = registry.signatures()
        self._keys = keys

    def works(self, performed: Perform, snapshot: Snapshot) -> bool:
        """True if the action runs outside."""
        found = self._registry.get(performed.action.type)
        return found is not None and found.is_work(performed.action, names(snapshot))

    def looks_for(self, performed: Perform, snapshot: Snapshot) -> tuple[str, ...]:
        """The events whose arrival would change what it answers."""
        action = performed.action
        signature = self._signatures.get(action.type)
        wanted = action.settings.get("event_types")
        if wanted is None or signature is None or signature.setting("event_types") is None:
            return ()
        filled = _value(wanted, snapshot)
        found = filled if isinstance(filled, list) else (filled,)
        return tuple(name for name in found if isinstance(name, str) and type(name) is str)

    def of(self, performed: Perform, snapshot: Snapshot, waiting: Waiting) -> list[Alternative]:
        """All of them, the usual ones first; never none."""
        action = performed.action
        found = self._registry.get(action.type)
        if found is None:
            return [Alternative(GOES_ON, Outcome(error=self._registry.suggestion(action.type)))]
        signature = self._signatures[action.type]
        if found.rehearses:
            exact = self._performed(found, signature, performed, snapshot, waiting)
            if exact is not None:
                return exact
        outcomes = [*self._by_signature(signature, performed, snapshot)]
        if found.rehearses:  # it fails only for what stands in its settings
            outcomes = [each for each in outcomes if not each[1]] or outcomes
        return _moves(performed, outcomes, guess=found.rehearses and len(outcomes) > 1)

    def _performed(
        self,
        found: ActionType,
        signature: Signature,
        performed: Perform,
        snapshot: Snapshot,
        waiting: Waiting,
    ) -> list[Alternative] | None:
        """What it answers where nothing runs; None if that hangs on what is not known."""
        if _hangs_on_unknown(signature, performed, snapshot):
            return None
        services = RehearsalServices(snapshot.machine, SOME_TIME, waiting, partial(_clear, waiting))
        try:
            outcome = perform(found, performed, snapshot, services)
        except Depends:
            return None
        if outcome is None:
            return None
        changes = {key: known(value) for key, value in outcome.changes.items()}
        if any(changes[key] is not value for key, value in outcome.changes.items()):
            outcome = replace(outcome, changes=changes)
        if not (services.sent or services.stopped) or not signature.can_fail:
            return [Alternative(GOES_ON, outcome)]
        failing = self._failure("", signature)
        return _moves(performed, [(outcome, False), (failing, True)])

    def _by_signature(
        self, signature: Signature, performed: Perform, snapshot: Snapshot
    ) -> Iterator[tuple[Outcome, bool]]:
        """Outcomes, each with whether it is a failure."""
        action = performed.action
        if signature.ends and not action.settings.keys() & {"target_machine", "target"}:
            yield Outcome(finish=True), False
            return
        possible = signature.events(action)
        for event, raises in self._answers(possible, snapshot, failure=False):
            yield self._success(event, raises, performed, signature), False
        if _may_be_silent(signature, performed, possible):
            yield self._success(None, Raises(None), performed, signature), False
        for event in self._whatever_is_handled(signature, snapshot, possible):
            yield self._success(event, Raises(event), performed, signature), False
        if signature.kind is Kind.WAIT and not performed.resumed:
            yield Outcome(awaits=ANYTHING), False
        for event, _raises in self._answers(possible, snapshot, failure=True):
            yield self._failure(event, signature), True

    def _whatever_is_handled(
        self, signature: Signature, snapshot: Snapshot, possible: Mapping[str, Raises]
    ) -> list[str]:
        """What an action that declares nothing may raise to some effect."""
        if not signature.open or signature.raises:
            return []
        handled = self._definition.handled_events(snapshot.states[0])
        return [event for event in handled if event not in possible]

    def _answers(
        self, possible: Mapping[str, Raises], snapshot: Snapshot, *, failure: bool
    ) -> Iterator[tuple[str, Raises]]:
        for name, raises in possible.items():
            if raises.failure is failure:
                for event in self._filled(name, snapshot):
                    yield event, raises

    def _success(
        self, event: str | None, raises: Raises, performed: Perform, signature: Signature
    ) -> Outcome:
        list_taken = signature.name == "pop_from_list" and raises.key == "success"
        return Outcome(
            event=event,
            changes=self._changes(performed, signature),
            nothing=_looked_for(raises, signature),
            took=list_taken,
            job=(ANY_JOB if raises.key == "success" else {}) if signature.claims else None,
        )

    def _failure(self, event: str, signature: Signature) -> Outcome:
        changes = dict.fromkeys(self._keys & set(signature.sets), UNKNOWN)
        if signature.open:
            changes = dict.fromkeys(self._keys, UNKNOWN)
        for key in ERROR_KEYS[2:]:  # the first two the failure brings
            if key in self._keys:
                changes[key] = UNKNOWN
        return Outcome(event=event or None, error=MARK, changes=changes)

    def _changes(self, performed: Perform, signature: Signature) -> dict[str, Any]:
        if signature.open:
            return dict.fromkeys(sorted(self._keys), UNKNOWN)
        keys = signature.writes(performed.action)
        if any("{" in key for key in keys):
            return dict.fromkeys(sorted(self._keys), UNKNOWN)
        return {key: UNKNOWN for key in keys if key in self._keys}

    def _filled(self, name: str, snapshot: Snapshot) -> tuple[str, ...]:
        """The event that a name with placeholders stands for: any, if that is not known."""
        if "{" not in name:
            return (name,)
        filled = _value(name, snapshot)
        if filled is UNKNOWN:
            return self._definition.handled_events(snapshot.states[0])
        return (str(filled),)


def _value(written_as: Any, snapshot: Snapshot) -> Any:
    """A setting with its placeholders filled in."""
    try:
        return known(interpolate(written_as, names(snapshot)))
    except Depends:  # even its length matters
        return UNKNOWN


def _hangs_on_unknown(signature: Signature, performed: Perform, snapshot: Snapshot) -> bool:
    """True if a list, or a setting that is read as something else than any text, is not known."""
    if any(snapshot.context.get(key) is UNKNOWN for key in lists(performed.action, signature)):
        return True
    for setting in signature.settings:
        written_as = performed.action.settings.get(setting.name)
        if isinstance(written_as, str) and "{" in written_as:
            strict = setting.choices or setting.kind not in {ValueKind.ANY, ValueKind.TEXT}
            if strict and _value(written_as, snapshot) is UNKNOWN:
                return True
    return False


def _clear(waiting: Waiting, event_types: tuple[str, ...]) -> int:
    found = [*waiting.named(event_types)]
    for event in found:
        waiting.discard(event)
    return len(found)


def _looked_for(raises: Raises, signature: Signature) -> Subscription | None:
    """What was not there, of a check that says so."""
    if raises.key == "pending":
        return ("finished", signature.name)
    if raises.key != "empty" or signature.name == "pop_from_list":
        return None
    return ("events",) if signature.setting("event_types") else ("jobs", signature.name)


def _may_be_silent(signature: Signature, performed: Perform, possible: dict[str, Raises]) -> bool:
    if performed.action.settings.get("fire_and_forget") or signature.open:
        return True
    if signature.kind is Kind.WAIT:
        return False
    unnamed = any(raises.event is None and not raises.failure for raises in signature.raises)
    return unnamed or all(raises.failure for raises in possible.values())


def _failure_name(performed: Perform) -> str:
    settings = performed.action.settings
    return str(settings.get("error") or settings.get("failure") or ERROR)


def _moves(
    performed: Perform, outcomes: list[tuple[Outcome, bool]], *, guess: bool = False
) -> list[Alternative]:
    action, silent = performed.action, len(outcomes) == 1
    return [
        Alternative(
            Move(
                MoveKind.ANSWERED,
                action.type,
                outcome.event or (_failure_name(performed) if fails else None),
                fails=fails,
                waits=bool(outcome.awaits),
                claims=bool(outcome.job),
                silent=silent,
                action=performed.ref,
            ),
            outcome,
            guess,
        )
        for outcome, fails in outcomes
    ]
