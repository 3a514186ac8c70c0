"""All checks, one after the other, each in a module of its own."""

from collections.abc import Callable, Mapping, Sequence

from machines.core.definition import Definition
from machines.core.signatures import Signature
from machines.core.validation.actions import check_actions
from machines.core.validation.bash import check_bash
from machines.core.validation.events import check_events
from machines.core.validation.facts import Facts, find_facts
from machines.core.validation.guards import check_guards
from machines.core.validation.loops import check_loops
from machines.core.validation.names import check_names
from machines.core.validation.peers import Peer, peer
from machines.core.validation.problems import Findings, Problem
from machines.core.validation.states import check_states
from machines.core.validation.timers import check_timers
from machines.core.validation.transitions import check_transitions

CHECKS: tuple[Callable[[Facts, Findings], None], ...] = (
    check_states,
    check_events,
    check_transitions,
    check_guards,
    check_timers,
    check_loops,
    check_actions,
    check_names,
    check_bash,
)


def validate(
    definition: Definition,
    signatures: Mapping[str, Signature],
    others: Sequence[Definition | Peer] = (),
    *,
    own: Peer | None = None,
) -> tuple[Problem, ...]:
    """All problems of a definition, in the order of the file; never raises.

    ``signatures`` says what each type of action takes. ``others`` are the files that are looked
    at together with it. A file that goes by other names than its text says, such as those of a
    manifest, comes as a ``peer``; ``own`` is this one. A doubt is no problem.
    """
    peers = [other if isinstance(other, Peer) else peer(other, signatures) for other in others]
    facts = find_facts(definition, signatures, own or peer(definition, signatures), peers)
    findings = Findings()
    for check in CHECKS:
        check(facts, findings)
    return findings.sorted()
