"""Events: what is declared, raised, sent and handled, compared with each other."""

from collections.abc import Iterator

from machines.core.definition import ANY_STATE
from machines.core.loading.faults import shown
from machines.core.signatures import MAPPED, mapped_events
from machines.core.validation import codes
from machines.core.validation.facts import Facts, Site, holds_placeholder
from machines.core.validation.peers import literal, texts
from machines.core.validation.problems import Findings

MAX_STATES = 50  # in which the events of one action are sought; with more, all is well


def check_events(facts: Facts, findings: Findings) -> None:
    """Declarations without transitions, transitions without declarations, unhandled results."""
    _check_declared(facts, findings)
    _check_undeclared(facts, findings)
    for site in facts.sites:
        if site.signature is not None and not site.signature.open:
            _check_results(facts, site, findings)
        if site.action.type == "send_event":
            _check_sent(facts, site, findings)


def _check_declared(facts: Facts, findings: Findings) -> None:
    if facts.raised is None:
        return
    known = facts.raised.union(facts.handled, _mentioned(facts))
    for event in facts.definition.events.values():
        # A context_map is applied also if the event is then ignored.
        if event.name not in known and not event.context_map:
            near = findings.near(event.name, facts.handled)
            findings.add(
                codes.UNHANDLED_EVENT,
                event.place,
                f"events.{shown(event.name)[1:-1]}: no transition takes it{near}",
            )


def _mentioned(facts: Facts) -> set[str]:
    """The events that actions send, look for or clear."""
    names = ("event_types", "event_type", "event")
    return {
        text
        for site in facts.sites
        for name in names
        for text in texts(site.action.settings.get(name))
    }


def _check_undeclared(facts: Facts, findings: Findings) -> None:
    declared = facts.definition.events
    if not declared or facts.raised is None:
        return
    known = facts.raised.union(declared, *(p.sent_to(facts.own) for p in (facts.own, *facts.peers)))
    told: set[str] = set()
    for transition in facts.definition.transitions:
        for event in transition.events:
            if event in known or event in told:
                continue
            told.add(event)
            near = findings.near(event, declared)
            findings.add(
                codes.UNDECLARED_EVENT,
                transition.place,
                f"transitions[{transition.index}].event: {shown(event)} is not declared under"
                f" events, and no action raises it{near}",
            )


def _check_results(facts: Facts, site: Site, findings: Findings) -> None:
    states = _judged_in(facts, site)
    for key, event, failure in _named_results(site):
        declared = event in facts.definition.events
        # Declared and taken nowhere: the author knows that nothing follows.
        deliberate = declared and (failure or event not in facts.handled)
        if holds_placeholder(event) or deliberate or _handled(facts, states, event):
            continue
        near = "" if event in facts.handled else findings.near(event, facts.handled)
        source = f"state {shown(states[0])}" if len(states) == 1 else "any state it may be in"
        findings.add(
            codes.UNHANDLED_RESULT,
            site.action.place,
            f"{site.where}: {key}: no transition takes {shown(event)} from {source}{near}",
        )


def _named_results(site: Site) -> Iterator[tuple[str, str, bool]]:
    """Setting, event and whether it is a failure's, for each event that the file names itself."""
    for raises in site.signature.all_raises() if site.signature else ():
        keys = ("error", "failure") if raises.key == "error" else (raises.key,)
        key = next((k for k in keys if k and site.action.settings.get(k) is not None), None)
        if key is None:
            continue
        given = site.action.settings[key]
        for name in mapped_events(given).values() if key == MAPPED else (given,):
            if isinstance(name, str) and name != raises.event:
                yield key, name, raises.failure


def _judged_in(facts: Facts, site: Site) -> tuple[str, ...]:
    """The states in which the events of an action may be judged; at most a few are told."""
    transition = site.transition
    if transition is None:
        return (site.state or "",)
    if transition.target is not None:
        return (transition.target,)
    if ANY_STATE in transition.sources:
        return tuple(facts.definition.states)
    return transition.sources


def _handled(facts: Facts, states: tuple[str, ...], event: str) -> bool:
    if event not in facts.handled:
        return False
    if len(states) > MAX_STATES:
        return True
    return any(facts.definition.candidates(state, event) for state in states)


def _check_sent(facts: Facts, site: Site, findings: Findings) -> None:
    target = literal(site.action, "target_machine", "target")
    event = literal(site.action, "event_type", "event")
    if target is None or event is None or not site.takes("event_type"):
        return
    receivers = [peer for peer in (facts.own, *facts.peers) if target in peer.names]
    if not receivers or any(event in peer.heard for peer in receivers):
        return
    near = findings.near(event, receivers[0].heard)
    findings.add(
        codes.UNHEARD_EVENT,
        site.action.place,
        f"{site.where}: machine {shown(target)} never handles {shown(event)}{near}",
    )
