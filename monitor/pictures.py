"""A stored definition, compiled and drawn; each version once."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from machines.core.definition import Definition
from machines.core.errors import DefinitionError
from machines.core.loading import load
from machines.core.mermaid import Diagram, diagram
from machines.models import MachineDefinition


@dataclass(frozen=True, slots=True)
class Picture:
    """What a version looks like; or why it cannot be drawn, for it no longer loads."""

    definition: Definition | None = None
    diagram: Diagram | None = None
    fault: str = ""

    def for_scripts(self, version: int) -> dict[str, Any]:
        """What the page's script needs to find states and steps on the drawing."""
        if self.diagram is None:
            return {}
        return {
            "definition": version,
            "text": self.diagram.text,
            "aliases": dict(self.diagram.aliases),
            "edges": [[edge.transition, edge.source] for edge in self.diagram.edges],
            "handled": {state: self.events(state)[0] for state in self.diagram.aliases},
        }

    def events(self, state: str | None) -> tuple[list[str], list[str]]:
        """Names of the events that ``state`` handles, and of all others of the machine."""
        if self.definition is None:
            return [], []
        handled = list(self.definition.handled_events(state)) if state else []
        named = [*self.definition.events, *self._events_of_transitions(self.definition)]
        return handled, [name for name in dict.fromkeys(named) if name not in handled]

    @staticmethod
    def _events_of_transitions(definition: Definition) -> list[str]:
        return [event for transition in definition.transitions for event in transition.events]


def picture(row: MachineDefinition) -> Picture:
    """The picture of a stored version."""
    return _picture(row.source, row.origin or row.name)


@lru_cache(maxsize=64)
def _picture(source: str, origin: str) -> Picture:
    try:
        definition = load(source, origin=origin)
    except DefinitionError as fault:
        return Picture(fault=str(fault))
    return Picture(definition, diagram(definition))
