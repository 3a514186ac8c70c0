"""Events: what the file declares of them."""

from collections.abc import Mapping
from typing import Any

from machines.core.definition import EventDeclaration
from machines.core.loading.faults import shown
from machines.core.loading.nodes import ListNode, MapNode
from machines.core.loading.values import Value, optional_text
from machines.core.schemas import schema_fault

_KEYS = ("description", "context_map", "payload")
_WANTED = "a list of names or a mapping"


def read_events(value: Value) -> dict[str, EventDeclaration]:
    """The declared events in order, without those that have a fault."""
    if isinstance(value.node, ListNode):
        return _listed(value)
    found = [_described(key, item) for key, item in value.entries(_WANTED)]
    return {event.name: event for event in found if event is not None}


def _listed(value: Value) -> dict[str, EventDeclaration]:
    events: dict[str, EventDeclaration] = {}
    for item in value.items():
        if isinstance(item.node, MapNode):
            item.fault(
                "a mapping stands in the list of events; leave out the '- ' before each event"
            )
            continue
        name = item.name("an event")
        if name in events:
            item.fault(f"event {shown(name)} is listed twice; name it once")
        elif name is not None:
            events[name] = EventDeclaration(name, place=item.place)
    return events


def _described(key: Value, value: Value) -> EventDeclaration | None:
    name = key.name("an event")
    fields = value.fields(_KEYS, "a mapping of description, context_map, payload")
    context_map = _context_map(fields["context_map"]) if "context_map" in fields else {}
    schema = _payload_schema(fields["payload"]) if "payload" in fields else None
    description = optional_text(fields, "description")
    if name is None:
        return None
    return EventDeclaration(name, description, context_map, schema, key.place)


def _context_map(value: Value) -> dict[str, str]:
    fields = value.json_fields("a mapping of context keys to paths")
    paths = {
        key: path.text("a path into event_data, such as payload.user.name,")
        for key, path in fields.items()
    }
    return {key: path for key, path in paths.items() if path is not None}


def _payload_schema(value: Value) -> Mapping[str, Any] | None:
    if value.empty:
        return None
    schema = value.json_mapping("a JSON Schema (a mapping)")
    if fault := schema_fault(schema):
        value.fault(fault)
    return schema
