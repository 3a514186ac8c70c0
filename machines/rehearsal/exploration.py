"""Exploration: every configuration that a machine may reach, and what can go wrong in them.

A rehearsal plays one story; an exploration plays all of them. Payloads, the data of jobs and what
work leaves behind are not known: a guard that looks at them may hold or not, and both are tried.
Time passes only while a machine waits or works, and only the order of deadlines counts.
"""

from dataclasses import dataclass

from machines.actions.registry import Registry
from machines.core.definition import Definition
from machines.rehearsal.faults import deadlocks, failing_loops, livelocks, long_chains
from machines.rehearsal.findings import Finding
from machines.rehearsal.graph import Graph
from machines.rehearsal.losses import ignored_at_rest, lost_at_the_end, raised
from machines.rehearsal.never import never

DEFAULT_LIMIT = 10_000  # configurations: about a second


@dataclass(frozen=True, slots=True)
class Exploration:
    """What was found. ``configurations``: how many were looked at.

    ``complete``: nothing was left out. ``widened``: keys of the context that took so many values
    that they counted as unknown.
    """

    findings: tuple[Finding, ...]
    configurations: int
    complete: bool
    widened: tuple[str, ...] = ()


def explore(
    definition: Definition, registry: Registry, *, limit: int = DEFAULT_LIMIT
) -> Exploration:
    """Look at every configuration of a machine, at ``limit`` of them at most.

    The findings are in the order of the file. What only a complete exploration can say (that
    something never happens) is left out of one that is not.
    """
    graph = Graph(definition, registry, limit)
    own = raised(definition, registry.signatures())
    found = [
        *deadlocks(graph),
        *livelocks(graph),
        *failing_loops(graph),
        *long_chains(graph),
        *ignored_at_rest(graph, own),
        *lost_at_the_end(graph, own),
        *(never(graph) if graph.complete else ()),
    ]
    ordered = tuple(sorted(found, key=_file_order))
    return Exploration(ordered, len(graph.nodes), graph.complete, graph.widened)


def _file_order(finding: Finding) -> tuple[int, int, str, str]:
    return finding.place.line, finding.place.column, finding.code, finding.message
