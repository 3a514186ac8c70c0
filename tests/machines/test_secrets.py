"""Secrets: handed to work, and never to be seen in what comes back."""

import json
from pathlib import Path
from typing import Any

import pytest

from machines.runtime import secrets
from machines.runtime.secrets import Secrets, SecretsError
from tests.machines.conftest import Runner

TOKEN = 'kUrU-"7\\zed'  # noqa: S105 - nobody's
WORD = 'pä"ss-wörd'
SECRETS = Secrets(
    {"TOKEN": TOKEN, "WORD": WORD, "PIN": "12", "KEY": "-----BEGIN\nabcdef\n-----END"}
)


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.SM_SECRETS_FILE = ""
    monkeypatch.setenv("SM_SECRET_API_TOKEN", TOKEN)

    assert dict(secrets.load()) == {"API_TOKEN": TOKEN}


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_secrets_come_from_a_file(tmp_path: Path, settings: Any) -> None:
    path = written(tmp_path / "secrets", "# ours\n\nTOKEN = a=b\nPIN=1234\n")
    settings.SM_SECRETS_FILE = str(path)

    assert dict(secrets.load()) == {"TOKEN": "a=b", "PIN": "1234"}


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("TOKEN=x", 0o644, "can be read by others"),
        ("TOKEN=x\nnonsense\n", 0o600, ":2: write NAME=value"),
        ("A B=x\n", 0o600, ":1: write NAME=value"),
    ],
)
def test_a_file_of_secrets_that_cannot_be_used_is_refused(
    tmp_path: Path, settings: Any, text: str, mode: int, why: str
) -> None:
    settings.SM_SECRETS_FILE = str(written(tmp_path / "secrets", text, mode))

    with pytest.raises(SecretsError, match=why):
        secrets.load()


def test_a_file_of_secrets_that_is_not_there_is_refused(tmp_path: Path, settings: Any) -> None:
    settings.SM_SECRETS_FILE = str(tmp_path / "none")

    with pytest.raises(SecretsError, match="cannot be read"):
        secrets.load()


def test_secrets_print_as_their_names_only() -> None:
    assert TOKEN not in repr(SECRETS) + str(SECRETS)
    assert "TOKEN" in repr(SECRETS)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"a {TOKEN} b {TOKEN}", "a *** b ***"),
        (json.dumps({"t": TOKEN}), '{"t": "***"}'),
        (json.dumps({"w": WORD}), '{"w": "***"}'),
        (json.dumps({"w": WORD}, ensure_ascii=False), '{"w": "***"}'),
        ("-----BEGIN\nabcdef\n-----END", "***"),
        ("one line: abcdef", "one line: ***"),
        # So short that masking it would leave nothing to read.
        ("12 of 12", "12 of 12"),
        ("nothing here", "nothing here"),
    ],
)
def test_a_secret_is_masked_in_whatever_shape(text: str, masked: str) -> None:
    assert SECRETS.mask(text) == masked


def test_a_secret_is_masked_wherever_it_stands() -> None:
    value = {"a": [1, TOKEN, {TOKEN: None}]}

    assert SECRETS.mask_all(value) == {"a": [1, "***", {"***": None}]}


@pytest.mark.parametrize("text", ["{secret.TOKNE}", "{secret}", "x {secret.TOKEN.y}"])
def test_a_secret_that_is_not_there_is_an_error(text: str) -> None:
    with pytest.raises(SecretsError, match=r"there is no secret \{secret"):
        SECRETS.check({"env": {"X": text}})


MACHINE = """
initial_state: ready
transitions:
  - {from: ready, to: working, event: go}
  - {from: working, to: done, event: job_done}
  - {from: working, to: failed, event: error}
actions:
  working:
    - type: bash
      env: {TOKEN: "{secret.API}"}
      command: COMMAND
      store_as: said
    - {type: log, message: "{said} {secret.API} and so on"}
  failed: [{type: log, message: "{last_error}"}]
"""
SECRET = "sesame-0pen-17"  # noqa: S105 - nobody's


@pytest.mark.parametrize(
    "command",
    [
        "echo $TOKEN; echo $TOKEN >&2",
        '\'echo "{\\"t\\": \\"$TOKEN\\"}"\'',
        "echo $TOKEN; exit 3",
        "for i in $(seq 9000); do echo $i $TOKEN; done",
        "echo -n ${TOKEN:0:7}; sleep 0.01; echo ${TOKEN:7}",
    ],
)
@pytest.mark.django_db(transaction=True)
async def test_a_secret_is_in_no_row_and_no_line(
    run: Runner, command: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SM_SECRET_API", SECRET)
    caplog.set_level("DEBUG")

    async with run(MACHINE.replace("COMMAND", command)) as machine:
        await machine.send("go")
        row = await machine.until(lambda row: row.state in {"done", "failed"}, "the end")
        runs = await machine.runs()

    kept = "".join(f"{run.message} {run.output} {run.event}" for run in runs)
    assert "***" in kept
    assert SECRET not in kept + json.dumps(row.context) + caplog.text


@pytest.mark.django_db(transaction=True)
async def test_a_secret_reaches_the_program_as_it_is(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_SECRET_API", SECRET)

    async with run(MACHINE.replace("COMMAND", f'test "$TOKEN" = {SECRET}')) as machine:
        await machine.send("go")
        await machine.reaches("done")


@pytest.mark.django_db(transaction=True)
async def test_a_secret_that_is_missing_fails_the_action(run: Runner) -> None:
    async with run(MACHINE.replace("COMMAND", "':'")) as machine:
        await machine.send("go")
        row = await machine.reaches("failed")

    assert "there is no secret {secret.API}; set SM_SECRET_API" in row.context["last_error"]


@pytest.mark.django_db(transaction=True)
async def test_an_answer_nested_too_deeply_to_be_masked_is_an_error(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_SECRET_API", SECRET)
    text = """
initial_state: ready
transitions:
  - {from: ready, to: working, event: go}
  - {from: working, to: failed, event: error}
actions:
  working:
    - type: bash
      command: python3 -c 'print("[" * 1000 + "]" * 1000)'
      store_as: said
      parse: json
"""
    async with run(text) as machine:
        await machine.send("go")
        await machine.reaches("failed")
