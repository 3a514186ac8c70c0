"""Whatever comes in, a host answers what it can, writes nothing that is wrong, and lives."""

import json
import random
from pathlib import Path

import pytest

from tests.acceptance.system import FIXTURES, System

LISTENER = FIXTURES / "listener.yaml"
MIB = 1 << 20

BAD_FRAMES = {
    "no JSON": (b"hello", "not JSON"),
    "half an object": (b'{"type": "count"', "not JSON"),
    "two objects": (b'{"type": "a"} {"type": "b"}', "not JSON"),
    "a list": (b'["count"]', "is no frame"),
    "a number": (b"17", "is no frame"),
    "an empty object": (b"{}", '"type"'),
    "an unknown key": (b'{"type": "count", "paylod": 1}', "paylod"),
    "an unknown command": (b'{"control": "explode"}', "it may be ping"),
    "a type that is no text": (b'{"type": 17}', "is not a text"),
    "an empty type": (b'{"type": ""}', "needs a name"),
    "a timer's name": (b'{"type": "timeout(5)"}', "timer's name"),
    "a target that is no name": (b'{"type": "count", "target": "../etc"}', "no machine's name"),
    "a target that is not here": (b'{"type": "count", "target": "nobody"}', "runs here"),
    "a wait that is no number": (b'{"type": "count", "wait": "long"}', "no number of seconds"),
    "a control character": (b'{"type": "co\\u0007unt"}', "control character"),
    "a NUL in the payload": (b'{"type": "count", "payload": "\\u0000"}', "NUL"),
    "a payload over its limit": (
        json.dumps({"type": "count", "payload": "x" * (300 << 10)}).encode(),
        "payload",
    ),
    "no UTF-8": (b'{"type": "\xff\xfe"}', "not JSON"),
    "deep nesting": (b'{"type": "count", "payload": ' + b"[" * 100_000, "not JSON"),
    "a frame over its limit": (b'{"type": "' + b"x" * MIB + b'"}', "at most"),
}

pytestmark = pytest.mark.acceptance


def test_bad_frames_are_answered_with_what_is_wrong_and_change_nothing(system: System) -> None:
    host = system.run_machine(LISTENER, name="listener")
    system.wait_until(lambda: system.state("listener") == "listening")

    answers = {}
    for what, (line, _expected) in BAD_FRAMES.items():
        with system.client("listener") as client:
            client.say(line + b"\n")
            answers[what] = client.hear()

    for what, (_line, expected) in BAD_FRAMES.items():
        answer = answers[what]
        assert answer is not None, what
        assert answer["ok"] is False, what
        assert expected in answer["error"], what
    assert_unharmed(system)
    assert "Traceback" not in host.said


def test_a_bad_frame_spoils_none_of_its_neighbours(system: System) -> None:
    system.run_machine(LISTENER, name="listener")
    good = [b'{"type": "count", "payload": {"number": %d}}' % number for number in (1, 2)]

    with system.client("listener") as client:
        client.say(b"\n".join([good[0], b"hello", good[1], b""]))
        answers = [client.hear() for _ in range(3)]

    assert [answer and answer["ok"] for answer in answers] == [True, False, True]
    assert system.context("listener") == {"last": 2}


def test_garbage_and_broken_connections_harm_nobody(system: System) -> None:
    system.run_machine(LISTENER, name="listener")
    chance = random.Random(9)  # noqa: S311 - no secret

    for _ in range(50):
        with system.client("listener") as client:
            client.say(chance.randbytes(chance.randrange(1, 10_000)))
        with system.client("listener") as client:
            client.say(b'{"type": "count", "payl')
    for _ in range(1_000):
        system.client("listener").close()

    assert_unharmed(system)


def test_a_client_that_reads_no_answers_holds_up_nobody(system: System) -> None:
    system.run_machine(LISTENER, name="listener")

    with system.client("listener") as deaf:
        deaf.say_what_goes_out(b'{"type": "unheard_of"}\n' * 200_000)
        answer = system.tell("listener", {"type": "count", "payload": {"number": 1}})

    assert answer["ok"]
    system.wait_until(lambda: system.context("listener") == {"last": 1})


def test_half_a_frame_before_the_end_of_input_is_answered(system: System) -> None:
    system.run_machine(LISTENER, name="listener")

    with system.client("listener") as client:
        client.say(b'{"type": "count", "payl')
        client.say_no_more()
        answer, end = client.hear(), client.hear()

    assert answer is not None
    assert answer["ok"] is False
    assert end is None
    assert_unharmed(system)


def test_a_file_that_is_missing_is_named(system: System) -> None:
    done = system.command("runmachine", "no_such_machine.yaml")

    assert done.code == 3
    assert "no_such_machine.yaml" in done.err
    assert "Traceback" not in done.err


def test_a_faulty_file_is_refused_with_the_place_of_its_fault(system: System) -> None:
    done = system.command("runmachine", str(FIXTURES / "broken.yaml"))

    assert done.code == 1
    assert "broken.yaml:6:25" in done.err
    assert "did you mean 'working'" in done.err
    assert "Traceback" not in done.err
    assert system.value("SELECT count(*) FROM machines_machine") == 0


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02\xff", b"[" * 100_000, b"a: &a [*a]", b"{unclosed"]
)
def test_a_file_that_is_no_machine_is_refused_without_a_traceback(
    system: System, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "garbage.yaml"
    file.write_bytes(content)

    done = system.command("runmachine", str(file))

    assert done.code == 1
    assert "garbage.yaml:" in done.err
    assert "Traceback" not in done.err


def assert_unharmed(system: System) -> None:
    """No event was taken in, and the machine takes the next."""
    assert system.value("SELECT count(*) FROM machines_event") == 0
    answer = system.tell("listener", {"type": "count", "payload": {"number": 1}})
    assert answer["status"] == "processed"
