"""Cycles in the graph of a machine: where it may go round for ever."""

from collections import deque
from collections.abc import Callable, Iterator

from machines.rehearsal.graph import Arc, Graph

Follows = Callable[[Arc], bool]


def components(graph: Graph, follows: Follows) -> Iterator[frozenset[int]]:
    """The sets of configurations that reach each other by the arcs that ``follows`` accepts.

    Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972) without recursion.
    Only sets with a cycle are given.
    """
    targets = [[arc.target for arc in node.arcs if follows(arc)] for node in graph.nodes]
    search = _Search(targets)
    for root, onwards in enumerate(targets):
        if onwards:
            yield from search.from_root(root)


class _Search:
    def __init__(self, targets: list[list[int]]) -> None:
        self._targets = targets
        self._index: dict[int, int] = {}
        self._low: dict[int, int] = {}
        self._stack: list[int] = []
        self._on_stack: set[int] = set()
        self._pending: list[tuple[int, Iterator[int]]] = []

    def from_root(self, root: int) -> Iterator[frozenset[int]]:
        """The components that are found from ``root`` on, if nobody was there before."""
        if root not in self._index:
            self._enter(root)
        while self._pending:
            number, left = self._pending[-1]
            if self._descends(number, left):
                continue
            self._pending.pop()
            if self._pending:
                above = self._pending[-1][0]
                self._low[above] = min(self._low[above], self._low[number])
            if self._low[number] == self._index[number]:
                found = self._component(number)
                if len(found) > 1 or number in self._targets[number]:
                    yield frozenset(found)

    def _enter(self, number: int) -> None:
        self._index[number] = self._low[number] = len(self._index)
        self._stack.append(number)
        self._on_stack.add(number)
        self._pending.append((number, iter(self._targets[number])))

    def _descends(self, number: int, left: Iterator[int]) -> bool:
        for target in left:
            if target not in self._index:
                self._enter(target)
                return True
            if target in self._on_stack:
                self._low[number] = min(self._low[number], self._index[target])
        return False

    def _component(self, until: int) -> list[int]:
        found: list[int] = []
        while not found or found[-1] != until:
            found.append(self._stack.pop())
        self._on_stack.difference_update(found)
        return found


def shortest_cycle(
    graph: Graph, component: frozenset[int], follows: Follows, begins: Follows
) -> tuple[int, tuple[Arc, ...]] | None:
    """The nearest arc that ``begins`` accepts and the shortest way back: where from, and the arcs.

    None if the component has no such arc.
    """
    for number in sorted(component, key=lambda number: (graph.nodes[number].distance, number)):
        for arc in graph.nodes[number].arcs:
            if arc.target in component and follows(arc) and begins(arc):
                back = _way(graph, component, follows, arc.target, number)
                return number, (arc, *back)
    return None


def _way(
    graph: Graph, component: frozenset[int], follows: Follows, source: int, target: int
) -> tuple[Arc, ...]:
    came: dict[int, tuple[int, Arc] | None] = {source: None}
    queue = deque([source])
    while target not in came:
        number = queue.popleft()
        for arc in graph.nodes[number].arcs:
            if arc.target in component and arc.target not in came and follows(arc):
                came[arc.target] = (number, arc)
                queue.append(arc.target)
    way: list[Arc] = []
    before = came[target]
    while before is not None:
        way.append(before[1])
        before = came[before[0]]
    return tuple(reversed(way))
