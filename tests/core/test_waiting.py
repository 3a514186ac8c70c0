"""What waits for a machine is kept in order, whatever is added and taken away."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from machines.core.snapshot import Event, Kind
from machines.core.waiting import Waiting, age

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMES = ("new_job", "ping", "stop")


def seconds(count: int) -> datetime:
    return NOON + timedelta(seconds=count)


def sent(number: int, name: str = "ping") -> Event:
    return Event(name, at=seconds(number), id=number)


def passed(at: int, transition: int = 0) -> Event:
    return Event("timeout(5)", Kind.TIMER, at=seconds(at), transition=transition)


def waiting_with(*events: Event) -> Waiting:
    waiting = Waiting()
    for event in events:
        if event.kind is Kind.OUTSIDE:
            waiting.add(event)
        else:
            waiting.add_due(event)
    return waiting


def test_waiting_is_false_when_nothing_waits() -> None:
    waiting = Waiting()

    assert not waiting
    assert len(waiting) == 0
    assert waiting.oldest() is None
    assert list(waiting.named(NAMES)) == []


def test_waiting_is_true_with_only_a_deadline() -> None:
    waiting = waiting_with(passed(1))

    assert waiting
    assert len(waiting) == 0


@pytest.mark.parametrize(
    ("events", "oldest"),
    [
        ((sent(1), sent(2)), sent(1)),
        ((sent(2), passed(1)), passed(1)),
        ((sent(1), passed(2)), sent(1)),
        ((sent(1), passed(1)), passed(1)),  # a tie goes to the deadline
        ((passed(3, 0), passed(2, 1)), passed(2, 1)),
        ((passed(2, 0), passed(2, 1)), passed(2, 0)),  # and among deadlines to the first added
        ((Event("ping", id=1), passed(1)), Event("ping", id=1)),  # no time is the oldest
    ],
)
def test_oldest_is_by_acceptance_and_due_time(events: tuple[Event, ...], oldest: Event) -> None:
    assert waiting_with(*events).oldest() == oldest


def test_named_yields_the_events_of_several_names_oldest_first() -> None:
    waiting = waiting_with(sent(1, "stop"), sent(2), sent(3, "new_job"), sent(4, "stop"))

    found = [event.id for event in waiting.named(("stop", "new_job", "unheard_of"))]

    assert found == [1, 3, 4]


def test_add_refuses_an_event_without_id() -> None:
    with pytest.raises(ValueError, match="an event without id cannot wait: Event"):
        Waiting().add(Event("ping"))


def test_discard_forgets_only_that_deadline_and_not_an_equal_one() -> None:
    kept, spent = passed(1), passed(1)
    waiting = waiting_with(kept, spent)

    waiting.discard(spent)

    assert waiting.due()[0] is kept
    assert len(waiting.due()) == 1


def test_discard_of_what_is_not_there_changes_nothing() -> None:
    waiting = waiting_with(sent(1))

    waiting.discard(sent(2))
    waiting.discard(passed(1))

    assert waiting.events() == (sent(1),)


def test_clear_due_forgets_deadlines_and_keeps_events() -> None:
    waiting = waiting_with(sent(1), passed(2), passed(3))

    waiting.clear_due()
    waiting.clear_due()

    assert waiting.due() == ()
    assert waiting.events() == (sent(1),)


STATE, CONTEXT = "a", {"n": 1}


def test_what_was_looked_at_is_not_looked_at_again_until_something_changes() -> None:
    waiting = waiting_with(sent(1), sent(2, "stop"))
    before = list(waiting.unseen(NAMES, STATE, CONTEXT))

    waiting.seen_all(STATE, CONTEXT)
    waiting.add(sent(3))

    assert before == [sent(1), sent(2, "stop")]
    assert list(waiting.unseen(NAMES, STATE, CONTEXT)) == [sent(3)]
    assert list(waiting.unseen(NAMES, STATE, {"n": 1})) == [sent(1), sent(2, "stop"), sent(3)]
    assert list(waiting.unseen(["unheard_of"], STATE, CONTEXT)) == []


def test_an_event_that_was_committed_late_is_looked_at() -> None:
    waiting = waiting_with(sent(1), sent(5))
    waiting.seen_all(STATE, CONTEXT)

    waiting.add(sent(3, "stop"))

    assert sent(3, "stop") in list(waiting.unseen(NAMES, STATE, CONTEXT))


class WaitingAgainstASortedList(RuleBasedStateMachine):
    """Whatever is done, it answers as a list would that is sorted at every question."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = Waiting()
        self.events: list[Event] = []
        self.due: list[Event] = []
        self.next_id = 1

    @rule(name=st.sampled_from(NAMES), pause=st.integers(0, 2))
    def add(self, name: str, pause: int) -> None:
        before = self.events[-1].at if self.events else None
        at = (before or NOON) + timedelta(seconds=pause)
        event = Event(name, at=at, id=self.next_id)
        self.next_id += 1
        self.waiting.add(event)
        self.events.append(event)

    @rule(at=st.integers(0, 10), transition=st.integers(0, 3))
    def add_due(self, at: int, transition: int) -> None:
        event = passed(at, transition)
        self.waiting.add_due(event)
        self.due.append(event)

    @precondition(lambda self: self.events)
    @rule(choice=st.data())
    def discard_event(self, choice: st.DataObject) -> None:
        event = choice.draw(st.sampled_from(self.events))
        self.waiting.discard(event)
        self.events.remove(event)
        assert event not in self.waiting.events()

    @precondition(lambda self: self.due)
    @rule(choice=st.data())
    def discard_due(self, choice: st.DataObject) -> None:
        at = choice.draw(st.integers(0, len(self.due) - 1))
        self.waiting.discard(self.due.pop(at))

    @rule()
    def clear_due(self) -> None:
        self.waiting.clear_due()
        self.due.clear()

    @invariant()
    def answers_as_the_sorted_list(self) -> None:
        due = sorted(self.due, key=age)
        everything = sorted([*due, *self.events], key=age)  # stable: deadlines win a tie
        assert len(self.waiting) == len(self.events)
        assert bool(self.waiting) == bool(everything)
        assert self.waiting.due() == tuple(due)
        assert self.waiting.events() == tuple(self.events)
        assert self.waiting.oldest() == (everything[0] if everything else None)
        assert all(event.id in self.waiting for event in self.events if event.id is not None)
        for names in (NAMES, NAMES[:1], ()):
            named = [event for event in self.events if event.name in names]
            assert list(self.waiting.named(names)) == named


TestWaitingAgainstASortedList = WaitingAgainstASortedList.TestCase
TestWaitingAgainstASortedList.settings = settings(
    max_examples=settings().max_examples // 4, stateful_step_count=25
)
