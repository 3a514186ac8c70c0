"""Which of the answers that are written down an action gets."""

from machines.core.turn import OF_STATE
from machines.rehearsal.answers import Answer
from machines.rehearsal.script import Line, Script, Target

FIRST, SECOND, OTHER = Answer("first"), Answer("second"), Answer("other")
REF = (OF_STATE, 1)


def test_listed_answers_are_given_once_each() -> None:
    script = Script((Line(Target(type="bash"), (FIRST, SECOND)),))

    given = [script.answer("m", "a", "bash", REF) for _ in range(3)]

    assert given == [FIRST, SECOND, None]


def test_single_answer_is_given_always() -> None:
    script = Script((Line(Target(type="bash"), (FIRST,), always=True),))

    assert [script.answer("m", "a", "bash", REF) for _ in range(2)] == [FIRST, FIRST]


def test_closest_line_is_heard_until_it_is_used_up() -> None:
    script = Script(
        (
            Line(Target(type="bash"), (OTHER,), always=True),
            Line(Target(state="a", type="bash"), (SECOND,)),
            Line(Target(state="a", index=1), (FIRST,)),
        )
    )

    given = [script.answer("m", "a", "bash", REF) for _ in range(3)]

    assert given == [FIRST, SECOND, OTHER]


def test_action_that_is_not_meant_gets_nothing() -> None:
    script = Script((Line(Target("worker", "a", "bash", 0), (FIRST,), always=True),))

    assert script.answer("worker", "a", "bash", (OF_STATE, 0)) == FIRST
    assert script.answer("boss", "a", "bash", (OF_STATE, 0)) is None
    assert script.answer("worker", "b", "bash", (OF_STATE, 0)) is None
    assert script.answer("worker", "a", "log", (OF_STATE, 0)) is None
    assert script.answer("worker", "a", "bash", REF) is None
    assert script.answer("worker", "a", "bash", (2, 0)) is None
