"""The same tests pass on PostgreSQL: a server is all they need, a database is made and dropped."""

import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from tests.acceptance.system import PROJECT, PYTHON

SERVER = os.environ.get("SM_TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
SUITE_SECONDS = 600  # the suite takes one minute; two shared cores may once take ten
SUITE = (
    "tests/jobqueue",
    "tests/machines/test_host.py",
    "tests/machines/test_idle.py",
    "tests/machines/test_journal.py",
    "tests/machines/test_storable.py",
    "tests/machines/test_dialects.py",
    "tests/machines/test_rows.py",
    "tests/machines/test_ownership.py",
    "tests/machines/test_sending.py",
    "tests/machines/test_sweep.py",
)

pytestmark = [pytest.mark.acceptance, pytest.mark.postgres]


@pytest.fixture
def database_url() -> Iterator[str]:
    """A database of a name that no other run uses; the tests in it make one beside it."""
    name = f"sm_{os.getpid()}_{secrets.token_hex(4)}"
    try:
        server = psycopg.connect(SERVER, connect_timeout=5, autocommit=True)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL answers at {SERVER} (SM_TEST_POSTGRES_URL): {error}")
    with server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))
        for left in (name, f"test_{name}"):  # the second, if the suite was ended by force
            server.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(left))
            )


@pytest.mark.timeout(SUITE_SECONDS + 60)
def test_the_suites_of_queue_and_runtime_pass_on_postgresql(database_url: str) -> None:
    argv = [str(PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITE]

    done = subprocess.run(
        argv,
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=SUITE_SECONDS,
        check=False,
    )

    said = f"{done.stdout[-8_000:]}\n{done.stderr[-2_000:]}"
    assert done.returncode == 0, said
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed is not None, said
    assert int(passed[1]) > 100, said
