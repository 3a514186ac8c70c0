"""The graph of a machine: every configuration it may reach, the nearest first."""

from collections import deque
from dataclasses import dataclass, field

from machines.actions.registry import Registry
from machines.core.definition import Definition
from machines.core.turn import ActionRef
from machines.rehearsal.configurations import Configuration, Configurations, Key
from machines.rehearsal.edges import Edge
from machines.rehearsal.moves import GOES_ON, Move, MoveKind
from machines.rehearsal.relevance import relevant
from machines.rehearsal.successors import Successors
from machines.rehearsal.unknowns import Assumption

_BEGINS: Key = ("begins",)  # unlike any other: ``start`` is judged there


@dataclass(slots=True)
class Arc:
    """An edge between two configurations, by their numbers; see ``Edge``."""

    move: Move
    target: int
    instant: bool
    steps: int
    guess: bool


@dataclass(slots=True)
class Node:
    """A configuration. ``distance``: how many moves that are not silent lead to it.

    ``parent`` and ``move``: the first way to it, None for where the machine begins.
    ``expanded``: its successors were looked for; ``cut``: not all of them were followed.
    ``stuck``: there are none if that holds.
    """

    configuration: Configuration
    distance: int
    parent: int | None
    move: Move = GOES_ON
    expanded: bool = False
    cut: bool = False
    stuck: tuple[Assumption, ...] = ()
    arcs: list[Arc] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The active state."""
        return self.configuration.snapshot.states[0]

    @property
    def at_rest(self) -> bool:
        """True if it is known that nothing happens until an event arrives or time passes."""
        if self.configuration.finished or not self.configuration.snapshot.turn.resting:
            return False
        if self.cut or not self.expanded:
            return False
        return all(arc.move.kind is not MoveKind.GOES_ON for arc in self.arcs)


class Graph:
    """What ``explore`` has seen of a machine.

    ``complete``: nothing was left out. ``widened``: keys of the context that took so many values
    that they count as unknown.
    """

    def __init__(self, definition: Definition, registry: Registry, limit: int) -> None:
        """Look at no more than ``limit`` configurations."""
        self.definition = definition
        self.nodes: list[Node] = []
        self.taken: set[int] = set()
        self.performed: set[tuple[str, ActionRef]] = set()
        self._limit = limit
        self._numbers: dict[Key, int] = {}
        matters = relevant(definition, registry)
        self._configurations = Configurations(matters)
        self._successors = Successors(definition, registry, matters, self._configurations)
        self._queue: deque[int] = deque()
        self._walk()

    @property
    def complete(self) -> bool:
        """True if nothing was left out."""
        return not any(node.cut or not node.expanded for node in self.nodes)

    @property
    def widened(self) -> tuple[str, ...]:
        """Keys of the context that were given up on."""
        return tuple(sorted(self._configurations.widened))

    @property
    def alphabet(self) -> tuple[str, ...]:
        """Every event that some state handles."""
        return self._successors.alphabet

    def path(self, number: int) -> tuple[Move, ...]:
        """The moves that lead to a configuration from where the machine begins."""
        moves: list[Move] = []
        node = self.nodes[number]
        while node.parent is not None:
            moves.append(node.move)
            node = self.nodes[node.parent]
        return tuple(reversed(moves))

    def nearest_first(self) -> list[int]:
        """The numbers of all configurations, in the order of their distance."""
        return sorted(range(len(self.nodes)), key=lambda number: self.nodes[number].distance)

    def _walk(self) -> None:
        first = self._successors.first()
        self._configurations.key(first)
        self._number(_BEGINS, first, None, GOES_ON)
        self._queue.clear()
        root = self.nodes[0]
        root.expanded = True
        for edge in self._successors.started(first):
            self._follow(0, edge)
        while self._queue:
            number = self._queue.popleft()
            node = self.nodes[number]
            if node.expanded:
                continue
            node.expanded = True
            for edge in self._successors.of(node.configuration):
                self._follow(number, edge)
            node.cut = node.cut or self._successors.gave_up
            node.stuck = self._successors.stuck

    def _follow(self, source: int, edge: Edge) -> None:
        self.taken.update(edge.taken)
        if edge.performed is not None:
            self.performed.add(edge.performed)
        target = self._number(self._configurations.key(edge.after), edge.after, source, edge.move)
        if target is None:
            self.nodes[source].cut = True
        else:
            arc = Arc(edge.move, target, edge.instant, len(edge.taken), edge.guess)
            self.nodes[source].arcs.append(arc)

    def _number(
        self, key: Key, configuration: Configuration, parent: int | None, move: Move
    ) -> int | None:
        """The number of a configuration that ``move`` leads to; None if there is no room."""
        distance = 0 if parent is None else self.nodes[parent].distance + move.shown
        number = self._numbers.get(key)
        if number is None:
            if len(self.nodes) >= self._limit:
                return None
            number = self._numbers[key] = len(self.nodes)
            self.nodes.append(Node(configuration, distance, parent, move))
        else:
            node = self.nodes[number]
            if node.expanded or distance >= node.distance:
                return number
            node.distance, node.parent, node.move = distance, parent, move
        if move.shown:
            self._queue.append(number)
        else:
            self._queue.appendleft(number)
        return number
