"""Actions on the machine's own context: set_context and lists."""

from machines.actions.base import ActionType, Call
from machines.core.settling import Outcome
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind


def set_context(call: Call) -> Outcome:
    """Set one key."""
    key = call.settings.required_text("key")
    return Outcome(
        event=call.settings.event("success", "success"),
        changes={key: call.settings.get("value")},
    )


def add_to_list(call: Call) -> Outcome:
    """Append ``value`` to the list under ``list_key``; one is made if there is none."""
    key = call.settings.text("list_key", "items")
    found = call.context.get(key)
    items = [*found] if isinstance(found, list) else []
    return Outcome(
        event=call.settings.event("success", "success"),
        changes={key: [*items, call.settings.get("value")]},
    )


def pop_from_list(call: Call) -> Outcome:
    """Take the first item of the list under ``list_key`` and keep it under ``store_as``."""
    key = call.settings.text("list_key", "items")
    found = call.context.get(key)
    if not isinstance(found, list) or not found:
        return Outcome(event=call.settings.event("empty", "list_empty"))
    first, *rest = found
    return Outcome(
        event=call.settings.event("success", "item_popped"),
        changes={key: rest, call.settings.text("store_as", "current_item"): first},
        took=True,
    )


TYPES = (
    ActionType(
        "set_context",
        perform=set_context,
        rehearses=True,
        signature=Signature(
            "set_context",
            Kind.EFFECT,
            "Set one key of the context.",
            settings=(
                Setting("key", ValueKind.KEY, "the key", required=True, writes=True),
                Setting("value", ValueKind.ANY, "its value"),
            ),
            raises=(Raises("success", "success", "it is set", usual=True),),
        ),
    ),
    ActionType(
        "add_to_list",
        perform=add_to_list,
        rehearses=True,
        signature=Signature(
            "add_to_list",
            Kind.EFFECT,
            "Append a value to a list in the context; one is made if there is none.",
            settings=(
                Setting(
                    "list_key", ValueKind.KEY, "where the list is", default="items", writes=True
                ),
                Setting("value", ValueKind.ANY, "what is appended"),
            ),
            raises=(Raises("success", "success", "it is appended", usual=True),),
        ),
    ),
    ActionType(
        "pop_from_list",
        perform=pop_from_list,
        rehearses=True,
        signature=Signature(
            "pop_from_list",
            Kind.EFFECT,
            "Take the first item of a list in the context.",
            settings=(
                Setting("list_key", ValueKind.KEY, "where the list is", default="items"),
                Setting(
                    "store_as",
                    ValueKind.KEY,
                    "where the item is kept",
                    default="current_item",
                    writes=True,
                ),
            ),
            raises=(
                Raises("item_popped", "success", "there was an item", usual=True),
                Raises("list_empty", "empty", "the list is empty, or there is none"),
            ),
        ),
    ),
)
