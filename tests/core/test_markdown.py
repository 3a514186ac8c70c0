"""Markdown is read by a real reader: what a person wrote comes out as text, cells stay cells."""

import re

import pytest
from markdown_it import MarkdownIt

from machines.core.markdown import block, code, codes, paragraphs, plain, table
from tests.core.hostile_names import HOSTILE_NAMES

READER = MarkdownIt("gfm-like", {"linkify": False})
MORE_NAMES = ("a\\|b", "|", "\\", "`|`", "``", "$x$", "www.evil.example", "1. a", "+ a", "=")


def read(text: str) -> str:
    """The words of a Markdown text; fails if it holds anything but text and code."""
    words = []
    for token in READER.parseInline(text):
        for child in token.children or ():
            assert child.type in {"text", "text_special", "code_inline"}, child
            words.append(child.content)
    return "".join(words)


def expected(name: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, *MORE_NAMES])
def test_plain_text_reads_as_it_was_written(name: str) -> None:
    shown = plain(name)

    assert read(shown) == expected(name)


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, *MORE_NAMES])
def test_code_reads_as_it_was_written(name: str) -> None:
    shown = code(name)

    assert read(shown) == expected(name)


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, *MORE_NAMES])
def test_cells_of_a_table_stay_apart(name: str) -> None:
    written = table(("Name", "Code", "Last"), [(plain(name), code(name), "end")])

    html = READER.render(written)

    assert html.count("<td>") == 3
    assert "<td>end</td>" in html
    assert not re.search("<(a|img|em|strong|script|s|h1|ul|ol)[ >]", html)


@pytest.mark.parametrize("line", [*HOSTILE_NAMES, *MORE_NAMES, "---", "===", "    deep", "> q"])
def test_paragraphs_hold_nothing_but_text(line: str) -> None:
    html = READER.render(paragraphs(f"before\n{line}\n\n{line}"))

    assert not re.search("<(?!/?p>)", html)
    assert html.count("<p>") == 2


def test_table_leaves_out_columns_with_nothing_in_them() -> None:
    written = table(("A", "B", "C"), [("1", "", "3"), ("4", "", "")])

    assert written.splitlines() == ["| A | C |", "| --- | --- |", "| 1 | 3 |", "| 4 |  |"]


def test_codes_names_each_once() -> None:
    assert codes(["a", "b", "a"]) == "`a`, `b`"


def test_block_is_not_closed_by_what_stands_in_it() -> None:
    written = block("mermaid", "a\n```\nb\n")

    assert written == "````mermaid\na\n```\nb\n````"
