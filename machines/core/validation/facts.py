"""Facts: what the checks look up in a definition, each worked out once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from machines.core.definition import ANY_STATE, Action, Definition, Transition
from machines.core.interpolation import placeholders
from machines.core.loading.faults import shown
from machines.core.signatures import Raises, Signature
from machines.core.validation.peers import Peer

BUILT_IN = "built in"  # what signatures of built-in types have as their origin
ALWAYS_RAISED = frozenset({"error", "start"})  # by any action, and by the engine


@dataclass(frozen=True, slots=True)
class Site:
    """An action where it stands: in a state, or in a transition (``state`` is None)."""

    action: Action
    signature: Signature | None
    state: str | None
    transition: Transition | None

    @property
    def may_raise_any(self) -> bool:
        """True if nobody says which events it raises: an unknown or custom type."""
        return self._unsaid(self.signature.raises if self.signature else ())

    @property
    def may_set_any(self) -> bool:
        """True if nobody says which keys of the context it sets."""
        return self._unsaid(self.signature.sets if self.signature else ())

    def _unsaid(self, said: tuple[object, ...]) -> bool:
        signature = self.signature
        return signature is None or signature.open or (is_custom(signature) and not said)

    def takes(self, setting: str) -> bool:
        """True if its type is known to have such a setting."""
        return self.signature is not None and self.signature.setting(setting) is not None

    @property
    def where(self) -> str:
        """``state 'waiting': bash``"""
        owner = f"transitions[{self.transition.index}]" if self.transition else self._of_state
        return f"{owner}: {shown(self.action.type)[1:-1]}"

    @property
    def _of_state(self) -> str:
        return f"state {shown(self.state or '')}"


@dataclass(frozen=True, slots=True)
class Facts:
    """A definition and what follows from it.

    ``named``: for each state the transitions that name it, in file order; ``wild``: those from
    any state; ``telling``: enough of these to tell what leads out of a state. ``lists``: the
    actions, list by list. ``handled``: events that some state handles. ``raised``: events that an
    action of the file may raise; None: any.
    """

    definition: Definition
    signatures: Mapping[str, Signature]
    peers: Sequence[Peer]
    own: Peer
    named: Mapping[str, Sequence[Transition]]
    wild: Sequence[Transition]
    telling: Sequence[Transition]
    lists: Sequence[Sequence[Site]]
    handled: Collection[str]
    raised: frozenset[str] | None

    @property
    def sites(self) -> list[Site]:
        """Every action of the file."""
        return [site for sites in self.lists for site in sites]

    def of_state(self, name: str) -> list[Site]:
        """The actions of a state."""
        actions = self.definition.states[name].actions
        return [Site(action, self.signatures.get(action.type), name, None) for action in actions]

    def starters(self) -> list[Peer]:
        """Those of the files, this one among them, that may start machines of this file."""
        return [peer for peer in (self.own, *self.peers) if peer.starts(self.own)]


def find_facts(
    definition: Definition, signatures: Mapping[str, Signature], own: Peer, peers: Sequence[Peer]
) -> Facts:
    """Work out the facts of a definition, in time that grows with its size only."""
    named: dict[str, list[Transition]] = {}
    for transition in definition.transitions:
        if ANY_STATE not in transition.sources:
            for source in transition.sources:
                named.setdefault(source, []).append(transition)
    wild = [t for t in definition.transitions if ANY_STATE in t.sources]
    lists = _lists(definition, signatures)
    return Facts(
        definition=definition,
        signatures=signatures,
        peers=peers,
        own=own,
        named=named,
        wild=wild,
        telling=_telling(wild),
        lists=lists,
        handled=dict.fromkeys(event for t in definition.transitions for event in t.events),
        raised=_raised(site for sites in lists for site in sites),
    )


def is_custom(signature: Signature) -> bool:
    """True for a type of an author's own, which may declare only a part of what it does."""
    return signature.origin != BUILT_IN


def holds_placeholder(text: str) -> bool:
    """True if what the text will be is known only at run time."""
    return "{" in text and bool(placeholders(text))


def outcomes(site: Site) -> dict[str, Raises]:
    """The events that an action may return, but for those of a failure."""
    return {name: raises for name, raises in results(site).items() if not raises.failure}


def results(site: Site) -> dict[str, Raises]:
    """The events that an action may return."""
    return site.signature.events(site.action) if site.signature else {}


def failure(site: Site) -> str:
    """The event that the failure of an action raises, as the file names it."""
    settings = site.action.settings
    named = settings.get("error")
    if named is None:
        named = settings.get("failure")
    return "error" if named is None else str(named)


def _lists(definition: Definition, signatures: Mapping[str, Signature]) -> Sequence[Sequence[Site]]:
    found = [
        [Site(action, signatures.get(action.type), state.name, None) for action in state.actions]
        for state in definition.states.values()
        if state.actions
    ]
    found += [
        [
            Site(action, signatures.get(action.type), None, transition)
            for action in transition.actions
        ]
        for transition in definition.transitions
        if transition.actions
    ]
    return found


def _telling(wild: Iterable[Transition]) -> Sequence[Transition]:
    """One for each kind of effect, and two with different targets: one of them leaves a state."""
    found: dict[tuple[bool, bool], Transition] = {}
    targets: dict[str | None, Transition] = {}
    for transition in wild:
        found.setdefault((bool(transition.actions), transition.reenter), transition)
        targets.setdefault(transition.target, transition)
    return [*found.values(), *list(targets.values())[:3]]


def _raised(sites: Iterable[Site]) -> frozenset[str] | None:
    names = set(ALWAYS_RAISED)
    for site in sites:
        if site.may_raise_any:
            return None
        found = results(site)
        if any(map(holds_placeholder, found)):
            return None
        names.update(found)
    return frozenset(names)
