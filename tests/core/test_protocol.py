"""Frames of the control socket: what is understood, and what is refused with which words."""

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from machines.core.protocol import (
    CONTROLS,
    ControlFrame,
    EventFrame,
    FrameError,
    encode,
    parse_frame,
)


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        (b'{"type": "new_job"}', EventFrame("new_job", target="worker")),
        (b'{"type": "new_job"}\n', EventFrame("new_job", target="worker")),
        (b'{"type": "go", "target": "other"}', EventFrame("go", target="other")),
        (b'{"type": "go", "target": null}', EventFrame("go", target="worker")),
        (b'{"type": "go", "payload": [1, null]}', EventFrame("go", "worker", [1, None])),
        (b'{"type": "go", "wait": 0}', EventFrame("go", "worker", wait_seconds=0)),
        (b'{"type": "go", "wait": 2.5}', EventFrame("go", "worker", wait_seconds=2.5)),
        (b'{"type": "go", "wait": 86400}', EventFrame("go", "worker", wait_seconds=86_400)),
        (b'{"type": "go", "wait": null}', EventFrame("go", "worker")),
        (
            b'{"type": "go", "key": "k", "source": "cli", "job_id": "7", "actor": "ada"}',
            EventFrame("go", "worker", key="k", source="cli", job_id="7", actor="ada"),
        ),
        (b'{"control": "ping"}', ControlFrame("ping", "worker")),
        (b'{"control": "stop", "target": "other"}', ControlFrame("stop", "other")),
    ],
)
def test_parse_frame_reads(line: bytes, frame: EventFrame | ControlFrame) -> None:
    assert parse_frame(line, default_target="worker") == frame


@pytest.mark.parametrize("control", CONTROLS)
def test_parse_frame_knows_every_control(control: str) -> None:
    line = orjson.dumps({"control": control})

    assert parse_frame(line) == ControlFrame(control)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", "not JSON: .*; a frame is one JSON object on one line"),
        (b"new_job", "not JSON"),
        (b'{"type": "go"} {"type": "go"}', "not JSON"),
        (b'{"type": NaN}', "not JSON"),
        (b'{"type": "\xff"}', "not JSON"),
        (b"[" * 5_000, "not JSON"),
        (b"[]", "a list is no frame; a frame is a JSON object"),
        (b"null", "a NoneType is no frame"),
        (b"{}", 'a frame needs "type" \\(an event\\) or "control" \\(a command\\)'),
        (b'{"control": "dance"}', "control: 'dance'; it may be ping, status, pause, resume, stop"),
        (b'{"control": ["stop"]}', r"control: \['stop'\]; it may be ping"),
        (b'{"control": "stop", "target": 7}', "target: 7 is not a text"),
        (b'{"control": "stop", "type": "go"}', "unknown keys 'type'; a frame may have control, t"),
        (b'{"type": "go", "paylod": {}, "tpye": 1}', "unknown keys 'paylod', 'tpye'; a frame may"),
        (b'{"type": 7}', "type: 7 is not a text"),
        (b'{"type": "go", "key": ["k"]}', r"key: \['k'\] is not a text"),
        (b'{"type": "go", "wait": true}', "wait: True is no number of seconds"),
        (b'{"type": "go", "wait": "5s"}', "wait: '5s' is no number of seconds"),
        (b'{"type": "go", "wait": -1}', "wait: -1 seconds; it may be 0 to 86400"),
        (b'{"type": "go", "wait": 1e300}', "wait: 1e\\+300 seconds; it may be 0 to 86400"),
    ],
)
def test_parse_frame_refuses_and_says_what_would_be_right(line: bytes, message: str) -> None:
    with pytest.raises(FrameError, match=f"^{message}"):
        parse_frame(line)


@given(st.binary() | st.builds(orjson.dumps, st.dictionaries(st.text(), st.text() | st.none())))
def test_parse_frame_never_raises_anything_else(line: bytes) -> None:
    with contextlib.suppress(FrameError):
        assert isinstance(parse_frame(line), EventFrame | ControlFrame)


def test_encode_makes_one_line() -> None:
    line = encode({"ok": False, "error": "first\nsecond"})

    assert line == b'{"ok":false,"error":"first\\nsecond"}\n'
