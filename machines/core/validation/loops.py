"""Loops: states that come back to themselves at once, without end."""

import re
from collections.abc import Iterable, Iterator
from enum import Enum

from machines.core.definition import Transition
from machines.core.loading.faults import shown
from machines.core.signatures import Kind
from machines.core.validation import codes
from machines.core.validation.facts import Facts, Site, failure, holds_placeholder, outcomes
from machines.core.validation.guards import always_holds
from machines.core.validation.problems import Findings

_DELAYING = re.compile(r"sleep|wait|timeout|retr|delay|read")  # in a command: it takes its time
MAX_ACTIONS = 20  # of one transition that is looked at; with more, nothing is certain
_WORKING_TYPES = frozenset({"bash", "http"})


class _Effect(Enum):
    """What certainly follows from an event in a state."""

    NOTHING = "nothing"
    LOOPS = "loops"
    OTHER = "something else, or it depends"


def check_loops(facts: Facts, findings: Findings) -> None:
    """Loops of effects only, and work that is tried again at once."""
    definition = facts.definition
    timed = {source for t in definition.transitions if _by_itself(t) for source in t.sources}
    if any(_by_itself(t) for t in facts.wild):
        return
    for state in definition.states.values():
        sites = facts.of_state(state.name)
        if not sites or state.final or state.name in timed:
            continue
        if all(_is_quick(site) for site in sites):
            _check_spinning(facts, state.name, sites, findings)
        else:
            _check_hasty(facts, state.name, sites, findings)


def _by_itself(transition: Transition) -> bool:
    return transition.automatic or transition.delay_seconds is not None


def _is_quick(site: Site) -> bool:
    """True for an effect that always ends alike, and looks for nothing."""
    signature = site.signature
    if signature is None or signature.kind is not Kind.EFFECT or signature.open:
        return False
    looks = any(raises.key == "empty" for raises in signature.raises)
    return not (looks or signature.ends or signature.claims) and len(outcomes(site)) <= 1


def _check_spinning(facts: Facts, state: str, sites: list[Site], findings: Findings) -> None:
    effects = [_effect(facts, state, event) for site in sites for event in outcomes(site)]
    effects += [
        _effect(facts, state, failure(site))
        for site in sites
        if site.signature is not None and site.signature.can_fail
    ]
    repeats = any(site.action.every_seconds is not None for site in sites)
    if repeats or _Effect.LOOPS not in effects or _Effect.OTHER in effects:
        return
    events = [event for site in sites for event in outcomes(site)]
    event = events[effects.index(_Effect.LOOPS)]
    findings.add(
        codes.SPINNING_LOOP,
        sites[0].action.place,
        f"state {shown(state)}: its actions raise {shown(event)}, which loops back to them at once",
    )


def _check_hasty(facts: Facts, state: str, sites: list[Site], findings: Findings) -> None:
    working = [site for site in sites if not _is_quick(site)]
    work = working[0]
    if len(working) > 1 or not _fails_at_once(work):
        return
    others = [event for site in sites if site is not work for event in outcomes(site)]
    if any(_effect(facts, state, event) is _Effect.OTHER for event in others):
        return
    event = failure(work)
    if _tried_again(facts, state, event):
        findings.add(
            codes.HASTY_RETRY,
            work.action.place,
            f"{work.where}: when it fails, {shown(event)} begins it again at once, without end",
        )


def _fails_at_once(site: Site) -> bool:
    action = site.action
    if action.type not in _WORKING_TYPES or site.signature is None or site.signature.open:
        return False
    if action.retry is not None or action.every_seconds is not None:
        return False
    return not any(_DELAYING.search(text) for text in _texts(action.settings.values()))


def _texts(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from _texts(value)


def _tried_again(facts: Facts, state: str, event: str) -> bool:
    """True if ``event`` certainly begins the round of ``state`` again."""
    first = _first(facts, state, event)
    if first is None or not _is_harmless(facts, state, first):
        return False
    reenters = first.target == state and first.reenter
    # A self-loop on error asks for no new round.
    return reenters or (first.stays_by_name(state) and event != "error")


def _effect(facts: Facts, state: str, event: str) -> _Effect:
    if holds_placeholder(event):
        return _Effect.OTHER
    if not facts.definition.candidates(state, event):
        return _Effect.NOTHING
    first = _first(facts, state, event)
    if first is None or first.leaves(state) or not _is_harmless(facts, state, first):
        return _Effect.OTHER
    loops = first.target is not None and event != "error"
    return _Effect.LOOPS if loops else _Effect.NOTHING


def _first(facts: Facts, state: str, event: str) -> Transition | None:
    """The transition that ``event`` certainly takes in ``state``; None if it depends."""
    found = facts.definition.candidates(state, event)
    return found[0] if found and always_holds(found[0].guard) else None


def _is_harmless(facts: Facts, state: str, transition: Transition) -> bool:
    """True if its own actions take no time and raise nothing that the state handles."""
    if len(transition.actions) > MAX_ACTIONS:
        return False
    for action in transition.actions:
        site = Site(action, facts.signatures.get(action.type), None, transition)
        if not _is_quick(site):
            return False
        if any(facts.definition.candidates(state, event) for event in outcomes(site)):
            return False
    return True
