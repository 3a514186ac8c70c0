"""Peers: what a file shows to the other files that are looked at together with it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from machines.core.definition import Action, Definition
from machines.core.interpolation import placeholders
from machines.core.signatures import Signature


@dataclass(frozen=True, slots=True)
class Start:
    """One ``start_fsm``: the stem of the file it starts (None: any) and the names it hands over."""

    stem: str | None
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Peer:
    """A file as others see it.

    ``names``: what its machine may be called. ``stem``: of its file's name. ``heard``: events that
    it handles or declares.
    ``sent``: types of the events it sends, by target; None: to any. ``started``: the files that
    it starts. ``may_hold_job``: it may have a job to hand over.
    """

    names: frozenset[str]
    stem: str
    heard: Collection[str]
    sent: Mapping[str | None, frozenset[str]]
    started: tuple[Start, ...]
    may_hold_job: bool

    def starts(self, other: "Peer") -> bool:
        """True if it may start machines of the file of ``other``."""
        return any(start.stem in (None, other.stem) for start in self.started)

    def handed_to(self, other: "Peer") -> set[str]:
        """The names that it sets in the context of machines of ``other``."""
        return {
            name
            for start in self.started
            if start.stem in (None, other.stem)
            for name in start.names
        }

    def sent_to(self, other: "Peer") -> set[str]:
        """The types of events that it may send to machines of ``other``."""
        return {kind for name in (None, *other.names) for kind in self.sent.get(name, ())}


def peer(
    definition: Definition, signatures: Mapping[str, Signature], *names: str, stem: str = ""
) -> Peer:
    """A definition as a peer; ``names`` are those that the manifest gives its machines.

    Without them the machine is called what its metadata say, else after its file.
    """
    machine_name = definition.metadata.get("machine_name")
    own = names or ((machine_name,) if machine_name else (stem, definition.name))
    actions = tuple(definition.actions())
    found = [signatures.get(action.type) for action in actions]
    sent: dict[str | None, set[str]] = {}
    for target, kind in sends(actions):
        sent.setdefault(target, set()).add(kind)
    return Peer(
        names=frozenset(str(name) for name in own if name),
        stem=stem or definition.name,
        heard=dict.fromkeys(_heard(definition, actions)),
        sent={target: frozenset(kinds) for target, kinds in sent.items()},
        started=tuple(_start(action) for action in actions if action.type == "start_fsm"),
        may_hold_job=definition.template
        or any(signature is None or signature.open or signature.claims for signature in found),
    )


def sends(actions: Iterable[Action]) -> Iterator[tuple[str | None, str]]:
    """Target and type of the events that are sent; None for a target known only at run time."""
    for action in actions:
        if action.type == "send_event":
            target = literal(action, "target_machine", "target")
            kind = literal(action, "event_type", "event")
            if kind is not None:
                yield target, kind


def literal(action: Action, *names: str) -> str | None:
    """The text of the first setting that is given; None if there is none, or a placeholder."""
    given = next((v for name in names if (v := action.settings.get(name)) is not None), None)
    return given if isinstance(given, str) and not placeholders(given) else None


def texts(value: Any) -> tuple[str, ...]:
    """A text, or the texts of a list."""
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str))


def _heard(definition: Definition, actions: Iterable[Action]) -> Iterator[str]:
    yield from definition.events
    for transition in definition.transitions:
        yield from transition.events
    for action in actions:
        if action.type in ("check_events", "clear_events"):
            yield from texts(action.settings.get("event_types"))


def _start(action: Action) -> Start:
    path = literal(action, "yaml_path")
    stem = None if path is None else path.rpartition("/")[2].partition(".")[0]
    return Start(stem, frozenset(_handed(action.settings.get("context_vars"))))


def _handed(given: Any) -> Iterator[str]:
    """``a``, ``a.b`` and ``a.b as c`` set a, b and c; which one of a path matters little here."""
    if isinstance(given, dict):
        yield from given
    for text in texts(given):
        path, _, alias = text.partition(" as ")
        yield alias.strip() or path.strip()
        yield path.rpartition(".")[2].strip()
