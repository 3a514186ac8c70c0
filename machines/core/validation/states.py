"""States: can they be reached, can they be left, does the machine ever finish?"""

from collections.abc import Iterable, Mapping

from machines.core.definition import Definition
from machines.core.loading.faults import shown
from machines.core.validation import codes
from machines.core.validation.facts import Facts, Site
from machines.core.validation.problems import Findings


def check_states(facts: Facts, findings: Findings) -> None:
    """Unreachable states, dead ends, and states with no way to a final one."""
    reached = _reached(facts)
    ending = _ending(facts)
    dead = {name for name in reached if name not in ending and _is_dead(facts, name)}
    finishing = _finishing(facts, reached, ending, dead)
    for state in facts.definition.states.values():
        text = shown(state.name)
        if state.name not in reached:
            initial = shown(facts.definition.initial_state)
            findings.add(
                codes.UNREACHABLE_STATE,
                state.place,
                f"state {text}: never entered; no transitions lead here from {initial}",
            )
        elif state.name in dead:
            findings.add(
                codes.DEAD_END,
                state.place,
                f"state {text}: a dead end; it is not final and no transition leads from it",
            )
        elif finishing is not None and state.name not in finishing:
            findings.add(
                codes.NO_WAY_TO_FINAL, state.place, f"state {text}: no way leads to a final state"
            )


def _reached(facts: Facts) -> set[str]:
    """The states that transitions lead to from the initial one, it included."""
    targets: dict[str, list[str]] = {
        name: [t.target for t in found if t.target is not None]
        for name, found in facts.named.items()
    }
    anywhere = [t.target for t in facts.wild if t.target is not None]
    return _closure([facts.definition.initial_state, *anywhere], targets)


def _closure(start: Iterable[str], following: Mapping[str, list[str]]) -> set[str]:
    found = set(start)
    pending = list(found)
    while pending:
        for name in following.get(pending.pop(), ()):
            if name not in found:
                found.add(name)
                pending.append(name)
    return found


def _ending(facts: Facts) -> set[str]:
    """The states in which the machine may finish: final ones, and where an action ends it."""
    definition = facts.definition
    found = {name for name in definition.states if definition.is_final(name)}
    for site in facts.sites:
        if site.signature is not None and site.signature.ends:
            found |= _states_of(definition, site)
    return found


def _states_of(definition: Definition, site: Site) -> set[str]:
    if site.transition is None:
        return {site.state or ""}
    if site.transition.target is not None:
        return {site.transition.target}
    return {name for name in site.transition.sources if name in definition.states}


def _is_dead(facts: Facts, name: str) -> bool:
    """True if no transition names the state, and none from anywhere does anything there."""
    if facts.named.get(name) or any(map(_goes_on, facts.of_state(name))):
        return False
    return not any(t.leaves(name) or t.actions or t.target is None for t in facts.telling)


def _goes_on(site: Site) -> bool:
    return site.action.every_seconds is not None or site.signature is None or site.signature.open


def _finishing(
    facts: Facts, reached: set[str], ending: set[str], dead: set[str]
) -> set[str] | None:
    """The states that lead to an end or to a dead one; None if the machine never finishes."""
    goals = ending & reached
    if not goals:
        return None
    if any(t.target is None and t.actions for t in facts.wild):
        return reached
    before: dict[str, list[str]] = {}
    for name in reached:
        for transition in facts.named.get(name, ()):
            if transition.target is not None:
                before.setdefault(transition.target, []).append(name)
    found = _closure(goals | dead, before)
    leads_on = any(t.target in found for t in facts.wild)
    return reached if leads_on else found
