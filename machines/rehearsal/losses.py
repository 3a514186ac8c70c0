"""Events that a machine ignores although it handles them elsewhere, or ends without judging."""

from collections.abc import Collection, Iterator, Mapping

from machines.core.definition import ANY_STATE, Definition
from machines.core.engine import START
from machines.core.settling import ERROR
from machines.core.signatures import Signature
from machines.rehearsal.findings import INFO, Finding
from machines.rehearsal.graph import Arc, Graph
from machines.rehearsal.moves import Move, MoveKind

_OWN = (MoveKind.GOES_ON, MoveKind.ANSWERED)


def raised(definition: Definition, signatures: Mapping[str, Signature]) -> frozenset[str]:
    """The events that actions of the file raise: nobody is expected to send them."""
    found = {ERROR, START.name}
    for action in definition.actions():
        signature = signatures.get(action.type)
        if signature is not None:
            found.update(signature.events(action))
    return frozenset(found)


def ignored_at_rest(graph: Graph, own: Collection[str]) -> Iterator[Finding]:
    """Events that a state ignores at rest and another one handles; once for each state.

    ``own``: events that the machine raises itself.
    """
    definition = graph.definition
    sent = [name for name in graph.alphabet if name not in own]
    seen: set[str] = set()
    for number in graph.nearest_first():
        node = graph.nodes[number]
        if node.state in seen or definition.is_final(node.state) or not node.at_rest:
            continue
        seen.add(node.state)
        for name in sent:
            if not definition.candidates(node.state, name):
                yield Finding(
                    "event-ignored",
                    INFO,
                    f"state {node.state!r} ignores event {name!r}, which other states handle",
                    definition.states[node.state].place,
                    (*graph.path(number), Move(MoveKind.SENT, name)),
                )


def lost_at_the_end(graph: Graph, own: Collection[str]) -> Iterator[Finding]:
    """Events that wait for the work of a state that handles them, which then ends the machine."""
    definition = graph.definition
    onwards = _ways_to_the_end(graph)
    looking = _states_that_look(definition)
    seen: set[tuple[str, str]] = set()
    for number in graph.nearest_first():
        node = graph.nodes[number]
        if number not in onwards or node.configuration.snapshot.turn.work is None:
            continue
        moves, states = _onwards(graph, onwards, number)
        if not looking.isdisjoint(states):
            continue
        for name in definition.handled_events(node.state):
            heard = any(name in definition.interrupting(state) for state in states)
            if name in own or heard or (name, states[-1]) in seen:
                continue
            seen.add((name, states[-1]))
            yield Finding(
                "event-lost-at-end",
                INFO,
                f"event {name!r}, sent while state {node.state!r} works, is ignored "
                f"if the machine then ends in {states[-1]!r}",
                definition.states[states[-1]].place,
                (*graph.path(number), Move(MoveKind.SENT, name), *moves),
            )


def _states_that_look(definition: Definition) -> set[str]:
    """The states in which an action may look for an event that waits."""
    found = {
        name
        for name, state in definition.states.items()
        if any("event_types" in action.settings for action in state.actions)
    }
    for transition in definition.transitions:
        if any("event_types" in action.settings for action in transition.actions):
            within = transition.sources if transition.target is None else (transition.target,)
            found.update(definition.states if ANY_STATE in within else within)
    return found


def _ways_to_the_end(graph: Graph) -> dict[int, tuple[int, Arc]]:
    """From which configurations a machine ends without being at rest before: the next one.

    The nearest to the end first; an event that waits is not judged on the way.
    """
    sources: dict[int, list[tuple[int, Arc]]] = {}
    for number, node in enumerate(graph.nodes):
        for arc in node.arcs:
            if arc.move.kind in _OWN and not arc.guess and not arc.move.waits:
                sources.setdefault(arc.target, []).append((number, arc))
    onwards: dict[int, tuple[int, Arc]] = {}
    queue = [number for number, node in enumerate(graph.nodes) if node.configuration.finished]
    for target in queue:
        for number, arc in sources.get(target, ()):
            if number not in onwards and _holds(graph, number):
                onwards[number] = (target, arc)
                queue.append(number)
    return onwards


def _holds(graph: Graph, number: int) -> bool:
    """True if an event that waits there goes on waiting."""
    node = graph.nodes[number]
    turn = node.configuration.snapshot.turn
    ends = turn.over and graph.definition.is_final(node.state)
    return not turn.resting or ends


def _onwards(
    graph: Graph, onwards: Mapping[int, tuple[int, Arc]], number: int
) -> tuple[list[Move], list[str]]:
    moves, states = [], [graph.nodes[number].state]
    while number in onwards:
        number, arc = onwards[number]
        moves.append(arc.move)
        states.append(graph.nodes[number].state)
    return moves, states
