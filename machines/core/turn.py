"""The turn of a machine: what is left of its round of actions, and what waits behind it.

An action is named by its list and its position in it: ``(3, 0)`` is the first action of
``transitions[3]``, ``(OF_STATE, 1)`` the second of the active state.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from machines.core.values import dataclass

OF_STATE = -1  # the list of actions that stand under the state itself

ActionRef = tuple[int, int]  # list, position
Stretch = tuple[int, int, int]  # list, next position, end (exclusive): actions still to be done
# What may be waited for: ("jobs", job_type, machine_type), ("events", type, …),
# ("finished", until when, job_id, …) or ("run", token).
Subscription = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """An action that runs outside. ``token`` names its run."""

    action: ActionRef
    token: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Wait:
    """An action that waits for its deadline; ``retry`` if it is to be done again then.

    ``behind``: what was still to be done, and goes on when the wait is over. ``awaits``: what
    ends the wait sooner; the action is then asked again, as it is at the deadline.
    """

    action: ActionRef
    attempt: int = 1
    retry: bool = False
    behind: tuple[Stretch, ...] = ()
    awaits: Subscription = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """What is left of the round of actions, and what the round has seen so far.

    ``todo``: actions that are due. ``waits``: actions that wait, and what waits behind them.
    ``again``: a self-loop asks for another round. ``checked``: what a check found empty.
    ``worked``: work ran, or something was taken. ``idle``: the round ended with nothing to do and
    is not repeated until something of ``checked`` is there. ``quiet``: such a round is on record
    since the entry. ``changed``: keys of the context that changed since the last step.
    ``resumed``: what the action that is next has waited for. ``wanted``: one of the events with
    these names is judged next, before the rest of the round.
    """

    todo: tuple[Stretch, ...] = ()
    work: Work | None = None
    waits: tuple[Wait, ...] = ()
    attempt: int = 1
    again: bool = False
    checked: tuple[Subscription, ...] = ()
    worked: bool = False
    idle: bool = False
    quiet: bool = False
    changed: tuple[str, ...] = ()
    resumed: Subscription = ()
    wanted: tuple[str, ...] = ()

    @property
    def resting(self) -> bool:
        """True if no work runs and no action is due, so that an event may be judged."""
        return self.work is None and not self.todo

    @property
    def over(self) -> bool:
        """True if the round has ended."""
        return not self.todo and not self.waits and self.work is None


AT_REST = Turn()


def turn_as_json(turn: Turn) -> dict[str, Any]:
    """The turn as it is saved; what has its default is left out, so a rested machine is ``{}``."""
    work = turn.work
    saved = {
        "todo": turn.todo,
        "work": work and [work.action, work.token, work.attempt],
        "waits": [
            [wait.action, wait.attempt, wait.retry, wait.behind, wait.awaits] for wait in turn.waits
        ],
        "attempt": turn.attempt if turn.attempt != 1 else None,
        "again": turn.again,
        "checked": turn.checked,
        "worked": turn.worked,
        "idle": turn.idle,
        "quiet": turn.quiet,
        "changed": turn.changed,
        "resumed": turn.resumed,
        "wanted": turn.wanted,
    }
    return {key: value for key, value in saved.items() if value}


def turn_from_json(saved: Mapping[str, Any]) -> Turn:
    """The reverse of ``turn_as_json``."""
    work = saved.get("work")
    return Turn(
        todo=_stretches(saved.get("todo", ())),
        work=Work((work[0][0], work[0][1]), work[1], work[2]) if work else None,
        waits=tuple(
            Wait((ref[0], ref[1]), attempt, retry, _stretches(behind), tuple(*awaits))
            for ref, attempt, retry, behind, *awaits in saved.get("waits", ())
        ),
        attempt=saved.get("attempt", 1),
        again=saved.get("again", False),
        checked=tuple(tuple(subscription) for subscription in saved.get("checked", ())),
        worked=saved.get("worked", False),
        idle=saved.get("idle", False),
        quiet=saved.get("quiet", False),
        changed=tuple(saved.get("changed", ())),
        resumed=tuple(saved.get("resumed", ())),
        wanted=tuple(saved.get("wanted", ())),
    )


def _stretches(saved: Iterable[Iterable[int]]) -> tuple[Stretch, ...]:
    return tuple((listed, start, end) for listed, start, end in saved)
