"""Signatures written out: as JSON for programs, as Markdown for the reference."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from machines.core.signatures import Raises, Setting, Signature

COMMAND = "python manage.py listactions --format markdown"

HEAD = f"""\
# Action types

Written by `{COMMAND}` from what the types say of themselves.

An **effect** is performed in the transaction that records it: exactly once. A **wait** runs
nothing; it ends by its time or by what it waits for, also across restarts. **Work** runs outside:
at least once.

Every action takes these besides its own; all but `type` may also stand under `params:`.

| setting | |
|---|---|
| `success`, `error` | names for its events; `failure` is another word for `error` |
| `retry` | `{{attempts: 5, delay: 2s, backoff: 2, max_delay: 5m, jitter: true}}` |
| `every` | such as `2s`: it is done again and again while the machine is in the state |
| `repeatable` | `true` is `every: 1s` |
| `on_crash` | of work that its host did not live to end: `rerun` (the default) or `fail` |
| `description` | a text for people |

An event has another name if the setting beside it gives one; where it has none of its own, it is
raised only if the setting does.

"""


def as_json(signature: Signature) -> dict[str, Any]:
    """A type for programs."""
    return {
        "name": signature.name,
        "kind": signature.kind.value,
        "summary": signature.summary,
        "origin": signature.origin,
        "settings": [
            {
                "name": setting.name,
                "kind": setting.kind.value,
                "required": setting.required,
                "default": setting.default,
                "description": setting.description,
                "choices": list(setting.choices),
            }
            for setting in signature.settings
        ],
        "events": [
            {
                "event": raises.event,
                "setting": raises.key or None,
                "when": raises.when,
                "failure": raises.failure,
            }
            for raises in signature.all_raises()
        ],
        "sets": list(signature.sets),
    }


def as_markdown(signatures: Sequence[Signature]) -> str:
    """The reference: what all actions take, an overview, each type whole."""
    overview = _table(
        ("type", "kind", ""),
        ((f"[`{each.name}`](#{each.name})", each.kind.value, each.summary) for each in signatures),
    )
    return HEAD + overview + "".join(f"\n{section(each)}" for each in signatures)


def section(signature: Signature) -> str:
    """One type, under a heading."""
    return "\n".join(_parts(signature))


def _parts(signature: Signature) -> Iterator[str]:
    yield f"## {signature.name}\n"
    if signature.summary:
        yield f"{signature.summary}\n"
    if signature.origin != Signature.__dataclass_fields__["origin"].default:
        yield f"From {signature.origin}.\n"
    if signature.open:
        yield "It declares nothing: it takes any setting, and may raise any event.\n"
    if signature.settings:
        rows = (_setting(setting) for setting in signature.settings)
        yield _table(("setting", "takes", "default", ""), rows)
    yield _table(("event", "when", "named by"), (_event(each) for each in signature.all_raises()))
    sets = [f"`{name}`" for name in signature.sets]
    sets += [f"the key that `{each.name}` names" for each in signature.settings if each.writes]
    if sets:
        yield f"Sets {', '.join(sets)} in the context.\n"


def _setting(setting: Setting) -> tuple[str, ...]:
    names = ", ".join(f"`{name}`" for name in (setting.name, *setting.aliases))
    takes = ", ".join(f"`{choice}`" for choice in setting.choices) or setting.kind.value
    default = "" if setting.default is None else f"`{_shown(setting.default)}`"
    return names, takes, "required" if setting.required else default, setting.description


def _event(raises: Raises) -> tuple[str, ...]:
    event = "none" if raises.event is None else f"`{raises.event}`"
    return event, raises.when, f"`{raises.key}`" if raises.key else ""


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) and value else json.dumps(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(_cell(cell) for cell in line)} |" for line in (head, *rows)]
    lines.insert(1, "|---" * len(head) + "|")
    return "".join(f"{line}\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
