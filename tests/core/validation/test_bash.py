"""Values that become code."""

import pytest

from tests.core.validation.looking import codes


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("argv: [bash, -c, 'ls {x}']", ["SM701"]),
        ("argv: [/bin/sh, -ec, 'ls {x}']", ["SM701"]),
        ("argv: [python3, -c, 'print({x})']", ["SM701"]),
        ("argv: [awk, '{x}', file]", ["SM701"]),
        ("argv: [bash, -c, 'ls \"$1\"', show, '{x}']", []),
        ("argv: [bash, '{x}']", []),
        ("argv: [python3, -m, '{x}']", []),
        ("argv: [awk, -f, '{x}']", []),
        ("argv: [ssh, host, '{x}']", []),
        ("argv: [make, '{x}']", []),
        ("argv: [[make], 5, '{x}']", []),
        ("argv: []", []),
        ("command: eval \"$X\", env: {X: '{x}'}", ["SM701"]),
        ("command: 'bash -c \"$X\"', env: {X: '{x}'}", ["SM701"]),
        ("command: 'bash -c \"ls ${X}\"', env: {X: 'a {x}'}", ["SM701"]),
        ("command: eval \"$Y\", env: {X: '{x}'}", []),
        ('command: eval "$X", env: {X: 5}', []),
        ('command: eval "$X", env: {X: literal}', []),
        ('command: eval "$X"', []),
        ("command: 'bash -c ''ls \"$X\"''', env: {X: '{x}'}", []),
        ("command: 'bash -c \"ls \\$X\"', env: {X: '{x}'}", []),
        ("command: 'ls \"$X\"', env: {X: '{x}'}", []),
    ],
)
def test_values_that_become_code(settings: str, expected: list[str]) -> None:
    text = "initial_state: a\ncontext: {x: 1}\nactions:\n a:\n"
    text += f" - {{type: bash, {settings}}}\ntransitions:\n- {{from: a, event: go}}\n"

    assert codes(text) == expected
