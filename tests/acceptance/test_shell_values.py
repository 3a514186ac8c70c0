"""On its way from an event to a command no value becomes code, and none is changed."""

import json

import pytest

from tests.acceptance.client import Feed
from tests.acceptance.system import FIXTURES, System, assert_audit_is_whole

HOSTILE = (
    "; touch pwned",
    "&& touch pwned",
    "|| touch pwned",
    "| touch pwned",
    "& touch pwned &",
    "$(touch pwned)",
    "`touch pwned`",
    "${IFS}touch${IFS}pwned",
    "$((1 + $(touch pwned)))",
    "\ntouch pwned\n",
    "\r\ntouch pwned",
    "'; touch pwned; '",
    '"; touch pwned; "',
    "\"'; touch pwned; '\"",
    "'\"'\"'; touch pwned #",
    "\\'; touch pwned; \\'",
    "\\",
    "\\\\\\",
    "'",
    '"',
    "'''",
    "$'\\ntouch pwned\\n'",
    '$"x"',
    "!! !touch",
    "> pwned",
    "< /etc/passwd",
    "<(touch pwned)",
    "# all a comment",
    "* ? [a-z]*",
    "~root",
    "{a,b} {1..9}",
    "{value} {last_error} {machine_name}",
    "%s%n\\x41",
    "$SM_RUN_ID $HOME $0 $@",
    "() { :; }; touch pwned",
    "a  b\tc ",
    "",
    " ",
    "ünïcödé \u202e 🙂",
    "x" * 100_000,
)
DASHED = ("-n", "--help", "-rf /", "-;touch pwned")  # bare they could be read as options
OTHERS = (0, -7, 1.5, True, ["a b", "$(touch pwned)"], {"k": "'; touch pwned"})

pytestmark = pytest.mark.acceptance


def test_a_command_gets_exactly_the_values_of_the_events(system: System) -> None:
    values = [*HOSTILE, *DASHED, *OTHERS]
    system.run_machine(FIXTURES / "quoting.yaml", name="quoting")
    frames = [
        {"type": "try", "payload": {"value": value}, "key": f"value-{number}"}
        for number, value in enumerate(values)
    ]

    Feed(system.run_dir / "quoting.sock", frames).go_on()
    system.wait_until_settled()

    texts = [as_text(value) for value in values]
    assert printed(system, "double") == texts
    assert printed(system, "single") == texts
    assert printed(system, "bare") == [text for text in texts if text not in DASHED]
    refused = system.rows("SELECT message FROM machines_run WHERE outcome = 'failed'")
    assert len(refused) == len(DASHED)
    assert not list(system.folder.rglob("*pwned*"))
    assert_audit_is_whole(system)


def as_text(value: object) -> str:
    """A value as it stands inside a text: containers and booleans as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value)


def printed(system: System, where: str) -> list[str]:
    """The words that the commands of one kind got."""
    return (system.folder / f"{where}.out").read_bytes().decode().split("\0")[:-1]
