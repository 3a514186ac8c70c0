"""Raising: which actions of a machine may raise which event, and set which keys of the context."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from machines.core.definition import Action, Definition
from machines.core.signatures import Kind, Raises, Signature


@dataclass(frozen=True, slots=True)
class Placed:
    """An action and where it stands: in a state, or else in the transition of that index."""

    action: Action
    state: str | None = None
    transition: int | None = None


def placed_actions(definition: Definition) -> Iterator[Placed]:
    """Every action of the file: those of states first, then those of transitions."""
    for state in definition.states.values():
        yield from (Placed(action, state=state.name) for action in state.actions)
    for transition in definition.transitions:
        yield from (Placed(action, transition=transition.index) for action in transition.actions)


def raised_by(
    definition: Definition, signatures: Mapping[str, Signature]
) -> dict[str, list[Placed]]:
    """The actions that may raise each event, in file order.

    An action of a type without signature may raise what its ``success`` and ``error`` name.
    """
    found: dict[str, list[Placed]] = {}
    for placed in placed_actions(definition):
        for event in _signature(placed.action, signatures).events(placed.action):
            found.setdefault(event, []).append(placed)
    return found


def set_by(definition: Definition, signatures: Mapping[str, Signature]) -> dict[str, list[Placed]]:
    """The actions that may set each key of the context, in file order."""
    found: dict[str, list[Placed]] = {}
    for placed in placed_actions(definition):
        signature = _signature(placed.action, signatures)
        for key in dict.fromkeys(signature.writes(placed.action)):
            found.setdefault(key, []).append(placed)
    return found


def _signature(action: Action, signatures: Mapping[str, Signature]) -> Signature:
    known = signatures.get(action.type)
    if known is not None:
        return known
    return Signature(action.type, Kind.WORK, raises=(Raises(None, "success"),), open=True)
