"""Sending many events from the command line."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jobqueue.console import Exit

from machines.models import Event, Machine
from machines.runtime import intake
from machines.runtime.batch import WINDOW
from tests.machines.commands.conftest import (
    Answer,
    MakeMachine,
    printed,
    refused,
)

pytestmark = pytest.mark.django_db


def batch(path: Path, *lines: str | dict[str, Any]) -> str:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts), encoding="utf-8")
    return str(path)


def replies(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_sendevent_batch_prints_a_reply_for_each_line_in_order(
    make_machine: MakeMachine, tmp_path: Path
) -> None:
    make_machine("m1")
    make_machine("m2")
    file = batch(
        tmp_path / "events",
        {"type": "a", "payload": {"n": 1}},
        "",
        {"type": "b", "target": "m2", "key": "k", "job_id": "j", "source": "s"},
        {"type": "b", "target": "m2", "key": "k"},
    )

    shown = replies(printed("sendevent", "--target", "m1", "--source", "me", "--batch", file))

    first, second = Event.objects.order_by("id")
    assert [reply["event"] for reply in shown] == [first.pk, second.pk, second.pk]
    assert (first.target, first.payload, first.source) == ("m1", {"n": 1}, "me")
    assert (second.target, second.key, second.job_id, second.source) == ("m2", "k", "j", "s")


def test_sendevent_batch_names_bad_lines_and_sends_the_others(
    make_machine: MakeMachine, tmp_path: Path
) -> None:
    make_machine()
    make_machine("resizer")
    file = batch(
        tmp_path / "events",
        "{",
        {"type": "a", "target": "m1"},
        "[1]",
        {"type": "a", "target": "m1", "wait": 1},
        {"type": "a"},
        {"target": "m1"},
        {"type": "a", "target": "resiser"},
        {"type": "a", "target": "m1", "payload": "x" * intake.MAX_PAYLOAD_BYTES},
        " " * 2_000_000 + "{}",
        {"type": "b", "target": "m1"},
    )

    code, fault, shown = refused("sendevent", "--batch", file)

    bad = [line.removeprefix(file) for line in shown.splitlines() if not line.startswith("{")]
    assert (code, len(replies(shown))) == (Exit.FAILED, 2)
    assert fault == "8 events were not accepted, or failed; the others were sent"
    assert [event.type for event in Event.objects.order_by("id")] == ["a", "b"]
    assert [line.split(" ", 1)[0] for line in bad] == [f":{n}:" for n in (1, 3, 4, 5, 6, 7, 8, 9)]
    assert "not JSON" in bad[0]
    assert "a line is an object" in bad[1]
    assert "unknown keys 'wait'" in bad[2]
    assert "target is missing" in bad[3]
    assert "type is missing" in bad[4]
    assert "no machine named 'resiser'; did you mean 'resizer'?" in bad[5]
    assert "at most 262144" in bad[6]
    assert "a line has less than 1048576 bytes" in bad[7]


def test_sendevent_batch_reads_standard_input(
    make_machine: MakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_machine()
    text = b'{"type": "a"}\n{"type": "b"}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    shown = replies(printed("sendevent", "--target", "m1", "--batch", "-"))

    assert [reply["status"] for reply in shown] == ["accepted", "accepted"]


def test_sendevent_batch_keeps_a_window_of_frames_under_way(
    run_here: Callable[[Answer], Machine], tmp_path: Path
) -> None:
    frames: list[dict[str, Any]] = []

    def answer(frame: dict[str, Any]) -> dict[str, Any]:
        frames.append(frame)
        return {"ok": True, "event": len(frames), "status": "accepted"}

    run_here(answer)
    count = WINDOW * 3
    file = batch(tmp_path / "events", *({"type": f"e{n}"} for n in range(count)))

    shown = replies(printed("sendevent", "--target", "m1", "--batch", file))

    assert [reply["event"] for reply in shown] == list(range(1, count + 1))
    assert [frame["type"] for frame in frames] == [f"e{n}" for n in range(count)]
    assert not Event.objects.exists()


def test_sendevent_batch_puts_into_the_inbox_what_a_dying_host_did_not_answer(
    run_here: Callable[[Answer], Machine], tmp_path: Path
) -> None:
    answered: list[dict[str, Any]] = []

    def answer(frame: dict[str, Any]) -> dict[str, Any] | None:
        if len(answered) == 2:
            return None
        answered.append(frame)
        return {"ok": True, "event": 1_000 + len(answered), "status": "processed"}

    run_here(answer)
    file = batch(tmp_path / "events", *({"type": f"e{n}"} for n in range(200)))

    shown = replies(printed("sendevent", "--target", "m1", "--batch", file))

    # An answer may be lost with the connection: its event is sent again, with the same key.
    stored = list(Event.objects.order_by("id"))
    heard = 200 - len(stored)
    keys = [frame["key"] for frame in answered]
    assert heard <= len(answered) == 2
    assert [event.type for event in stored] == [f"e{n}" for n in range(heard, 200)]
    assert [event.key for event in stored][: 2 - heard] == keys[heard:]
    assert [reply["event"] for reply in shown[:heard]] == [1_001, 1_002][:heard]
    assert [reply["event"] for reply in shown[heard:]] == [event.pk for event in stored]


def test_sendevent_batch_tells_what_the_host_refuses(
    run_here: Callable[[Answer], Machine], tmp_path: Path
) -> None:
    run_here(lambda frame: {"ok": False, "code": "full", "error": "the inbox is full"})
    file = batch(tmp_path / "events", {"type": "a"})

    code, _, shown = refused("sendevent", "--target", "m1", "--batch", file)

    assert (code, shown) == (Exit.FAILED, f"{file}:1: the inbox is full\n")


def test_sendevent_batch_counts_events_that_failed(
    run_here: Callable[[Answer], Machine], tmp_path: Path
) -> None:
    run_here(lambda frame: {"ok": True, "event": 17, "status": "failed", "reason": "no number"})
    file = batch(tmp_path / "events", {"type": "a"})

    code, fault, shown = refused("sendevent", "--target", "m1", "--batch", file)

    assert (code, fault.split(" ")[0]) == (Exit.FAILED, "1")
    assert replies(shown)[0]["reason"] == "no number"


def test_sendevent_batch_puts_into_the_inbox_what_the_host_does_not_run_any_more(
    run_here: Callable[[Answer], Machine], tmp_path: Path
) -> None:
    run_here(lambda frame: {"ok": False, "code": "unknown", "error": "not here"})
    file = batch(tmp_path / "events", {"type": "a"})

    (shown,) = replies(printed("sendevent", "--target", "m1", "--batch", file))

    assert shown["event"] == Event.objects.get().pk
