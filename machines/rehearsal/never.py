"""What never happens in a machine, which only a complete exploration can say."""

from collections.abc import Iterator

from machines.core.definition import ANY_STATE, Action, Definition, Transition
from machines.core.turn import OF_STATE
from machines.rehearsal.findings import INFO, WARNING, Finding
from machines.rehearsal.graph import Graph


def never(graph: Graph) -> Iterator[Finding]:
    """States never entered, transitions never taken, actions never performed, no end."""
    definition = graph.definition
    reached = {node.state for node in graph.nodes}
    for name, state in definition.states.items():
        if name not in reached:
            message = f"state {name!r} is never reached"
            yield Finding("unreachable-state", WARNING, message, state.place)
    for transition in definition.transitions:
        reachable = ANY_STATE in transition.sources or not reached.isdisjoint(transition.sources)
        if transition.index not in graph.taken and reachable:
            message = f"{_named(transition)} is never taken"
            yield Finding("transition-never-taken", WARNING, message, transition.place)
    yield from _never_performed(graph, reached)
    if any(state.final for state in definition.states.values()) and not any(
        node.configuration.finished for node in graph.nodes
    ):
        message = "the machine has a final state but never finishes"
        place = definition.states[definition.initial_state].place
        yield Finding("never-finishes", INFO, message, place)


def _never_performed(graph: Graph, reached: set[str]) -> Iterator[Finding]:
    performed = {(OF_STATE, ref[1], state) for state, ref in graph.performed if ref[0] == OF_STATE}
    own = {ref for _state, ref in graph.performed if ref[0] != OF_STATE}
    for name, position, action in _state_actions(graph.definition):
        if name in reached and (OF_STATE, position, name) not in performed:
            yield _unperformed(action, f"state {name!r}")
    for transition in graph.definition.transitions:
        for position, action in enumerate(transition.actions):
            if transition.index in graph.taken and (transition.index, position) not in own:
                yield _unperformed(action, _named(transition))


def _state_actions(definition: Definition) -> Iterator[tuple[str, int, Action]]:
    for name, state in definition.states.items():
        for position, action in enumerate(state.actions):
            yield name, position, action


def _unperformed(action: Action, where: str) -> Finding:
    message = f"the action {action.type!r} of {where} is never performed"
    return Finding("action-never-run", WARNING, message, action.place)


def _named(transition: Transition) -> str:
    target = transition.target or "itself"
    trigger = ", ".join(transition.events) or transition.delay_name or "automatic"
    return f"the transition {', '.join(transition.sources)} --{trigger}--> {target}"
