"""What running work prints, for the record and for the log."""

import pytest

from machines.runtime.printout import LINES_AT_ONCE, MAX_OUTPUT_BYTES, Printout
from machines.runtime.secrets import Secrets

SECRET = "sesame-0pen"  # noqa: S105 - nobody's


@pytest.fixture
def printout() -> Printout:
    return Printout("worker", Secrets({"TOKEN": SECRET}))


def test_of_long_output_the_last_part_is_kept(printout: Printout) -> None:
    for _ in range(5):
        printout.add(b"x" * (MAX_OUTPUT_BYTES - 1))
    printout.add(b"end")

    text = printout.end()

    assert len(text) == MAX_OUTPUT_BYTES
    assert text.endswith("xend")


def test_output_that_no_database_keeps_is_replaced(printout: Printout) -> None:
    printout.add(b"a\x00b\xff")

    assert printout.end() == "a\ufffdb\ufffd"


def test_what_is_shown_meanwhile_ends_with_a_line(printout: Printout) -> None:
    printout.add(b"one\ntwo\nthr")

    assert printout.grew
    assert printout.look() == "one\ntwo\n"
    assert not printout.grew
    assert printout.end() == "one\ntwo\nthr"


@pytest.mark.parametrize("cut", range(len(SECRET)))
def test_a_secret_that_comes_in_two_pieces_is_never_shown(printout: Printout, cut: int) -> None:
    printout.add(SECRET[:cut].encode())
    meanwhile = printout.look()
    printout.add(SECRET[cut:].encode())

    assert meanwhile == ""
    assert printout.end() == "***"


@pytest.mark.parametrize("before", range(len(SECRET) + 1))
def test_a_secret_at_the_edge_of_what_is_kept_is_never_shown(
    printout: Printout, before: int
) -> None:
    for _ in range(3):
        printout.add(SECRET.encode())
        printout.add(b"y" * (MAX_OUTPUT_BYTES - before))

    text = printout.end()

    assert not any(SECRET[start:] in text for start in range(len(SECRET) - 3))


def test_lines_are_logged_as_they_come(
    printout: Printout, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    printout.add(b"one\ntw")
    first = [record.getMessage() for record in caplog.records]
    printout.add(b"o \x1b[31m" + SECRET.encode() + b"\n")
    printout.add(b"three")
    printout.end()

    assert first == ["worker: one"]
    assert [record.getMessage() for record in caplog.records[1:]] == [
        "worker: two \ufffd[31m***",
        "worker: three",
    ]


def test_a_flood_of_lines_is_counted_in_the_log(
    printout: Printout, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    printout.add(b"line\n" * (LINES_AT_ONCE + 7))
    printout.look()
    printout.add(b"last\n")

    said = [record.getMessage() for record in caplog.records]
    assert said[LINES_AT_ONCE:] == ["worker: … 7 more lines", "worker: last"]


@pytest.mark.parametrize("between", ["", "\n", " x "])
def test_a_secret_that_is_printed_again_and_again_leaves_nothing_of_it(
    printout: Printout, caplog: pytest.LogCaptureFixture, between: str
) -> None:
    caplog.set_level("INFO")

    for _ in range(4 * MAX_OUTPUT_BYTES // len(SECRET)):
        printout.add((SECRET + between).encode())
    shown = printout.look() + printout.end() + caplog.text

    assert "***" in shown
    assert not any(SECRET[start:] in shown for start in range(len(SECRET) - 3))


def test_a_line_without_end_is_told_once(
    printout: Printout, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    for _ in range(3 * MAX_OUTPUT_BYTES // 8):
        printout.add(b"12345678")
    printout.add(b"end\nnext\n")

    said = [record.getMessage()[:17] for record in caplog.records]
    assert said == ["worker: 123456781", "worker: next"]
