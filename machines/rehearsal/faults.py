"""Where a machine stands still for ever, or goes round for ever."""

from collections.abc import Iterator

from machines.rehearsal.cycles import Follows, components, shortest_cycle
from machines.rehearsal.findings import ERROR, WARNING, Finding
from machines.rehearsal.graph import Arc, Graph
from machines.rehearsal.moves import Move, MoveKind


def deadlocks(graph: Graph) -> Iterator[Finding]:
    """Where nothing can ever move a machine that has not finished; once for every state."""
    definition = graph.definition
    seen: set[str] = set()
    for number in graph.nearest_first():
        node = graph.nodes[number]
        if node.state in seen or not _stands_still(graph, number):
            continue
        seen.add(node.state)
        handled = definition.handled_events(node.state)
        why = "no guard of what it handles holds" if handled else "it handles no event"
        path = graph.path(number)
        if node.stuck:
            why = "no guard holds"
            path = (*path, Move(MoveKind.RESTS, assumed=node.stuck))
        yield Finding(
            "deadlock",
            WARNING if any(move.assumed for move in path) else ERROR,
            f"state {node.state!r} is never left: {why}, and nothing else is to come",
            definition.states[node.state].place,
            path,
        )


def livelocks(graph: Graph) -> Iterator[Finding]:
    """Cycles that need nothing from outside; the engine ends them as a fault."""
    limit = graph.definition.max_instant_steps
    yield from _cycles(
        graph,
        "livelock",
        f"needs nothing from outside: after {limit} steps the machine is faulted",
        follows=lambda arc: arc.instant and not arc.guess and not arc.move.fails,
        begins=lambda arc: arc.steps > 0,
    )


def failing_loops(graph: Graph) -> Iterator[Finding]:
    """Cycles of actions that fail, without a pause."""
    yield from _cycles(
        graph,
        "failing-loop",
        "goes on without a pause for as long as an action fails: let it wait, by after or retry",
        follows=lambda arc: (arc.instant or arc.move.fails) and not arc.guess,
        begins=lambda arc: arc.move.fails,
    )


def long_chains(graph: Graph) -> Iterator[Finding]:
    """More instant steps in a row than the machine may take, without a cycle."""
    limit = graph.definition.max_instant_steps
    if limit >= len(graph.nodes):
        return
    steps = [0] * len(graph.nodes)
    came: list[tuple[int, Arc] | None] = [None] * len(graph.nodes)
    for number in _instant_order(graph):
        for arc in graph.nodes[number].arcs:
            if not arc.instant or arc.guess:
                continue
            if steps[number] + arc.steps > steps[arc.target]:
                steps[arc.target] = steps[number] + arc.steps
                came[arc.target] = (number, arc)
            if steps[arc.target] > limit:
                yield _chain(graph, arc.target, came)
                return


def _stands_still(graph: Graph, number: int) -> bool:
    node = graph.nodes[number]
    if node.configuration.finished or not node.expanded or node.cut:
        return False
    return bool(node.stuck) or all(arc.target == number and not arc.steps for arc in node.arcs)


def _cycles(
    graph: Graph, code: str, why: str, *, follows: Follows, begins: Follows
) -> Iterator[Finding]:
    found = []
    for component in components(graph, follows):
        cycle = shortest_cycle(graph, component, follows, begins)
        if cycle is not None and any(arc.steps for arc in cycle[1]):
            found.append(cycle)
    seen: set[frozenset[str]] = set()
    for number, arcs in sorted(found, key=lambda each: (graph.nodes[each[0]].distance, each[0])):
        states = [graph.nodes[number].state, *(graph.nodes[arc.target].state for arc in arcs)]
        if frozenset(states) in seen:
            continue
        seen.add(frozenset(states))
        path = graph.path(number)
        yield Finding(
            code,
            ERROR if code == "livelock" and not any(move.assumed for move in path) else WARNING,
            f"{' -> '.join(_without_repeats(states))} {why}",
            graph.definition.states[states[0]].place,
            path,
            tuple(arc.move for arc in arcs),
        )


def _without_repeats(states: list[str]) -> list[str]:
    kept = [state for state, before in zip(states, ["", *states], strict=False) if state != before]
    return kept if len(kept) > 1 else kept * 2


def _instant_order(graph: Graph) -> list[int]:
    """The configurations, each after those that instant moves lead from; none that is in a cycle.

    Kahn's algorithm ("Topological sorting of large networks", 1962).
    """
    targets = [[arc.target for arc in node.arcs if arc.instant] for node in graph.nodes]
    before = [0] * len(targets)
    for each in targets:
        for target in each:
            before[target] += 1
    order = [number for number, count in enumerate(before) if not count]
    for number in order:
        for target in targets[number]:
            before[target] -= 1
            if not before[target]:
                order.append(target)
    return order


def _chain(graph: Graph, last: int, came: list[tuple[int, Arc] | None]) -> Finding:
    moves: list[Move] = []
    first = last
    while (step := came[first]) is not None:
        moves.append(step[1].move)
        first = step[0]
    path = (*graph.path(first), *reversed(moves))
    limit = graph.definition.max_instant_steps
    state = graph.nodes[last].state
    return Finding(
        "too-many-steps",
        WARNING if any(move.assumed for move in path) else ERROR,
        f"more than {limit} steps lead to state {state!r} with nothing from outside between them: "
        "the machine is faulted; raise max_instant_steps, or let it wait",
        graph.definition.states[state].place,
        path,
    )
