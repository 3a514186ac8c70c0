from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client

from machines.models import Machine


def test_health_needs_no_login_and_counts_machines(client: Client, kitchen: Machine) -> None:
    response = client.get("/health")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "database": "ok",
        "machines": {"stopped": 1},
        "feed": "off",
    }


@pytest.fixture
def database_out(db: None) -> Iterator[None]:
    """A database that answers no query."""

    def refuse(*_query: object) -> None:
        raise OperationalError("no answer")

    with connection.execute_wrapper(refuse):
        yield


def test_health_is_503_when_the_database_is_out(client: Client, database_out: None) -> None:
    response = client.get("/health")

    assert response.status_code == 503
    assert response.json()["database"] == "failed"
