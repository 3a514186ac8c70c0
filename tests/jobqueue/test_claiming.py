"""The statement that claims."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from jobqueue.claiming import claim_statement


def statement(sought: dict[str, str], *, skip_locked: bool, now: datetime) -> tuple[str, Any]:
    return claim_statement(
        sought,
        claimed_by="w",
        claim_token="1a2b",  # noqa: S106 - no password
        lease_expires_at=None,
        now=now,
        skip_locked=skip_locked,
    )


def test_conditions_and_their_parameters_keep_one_order(now: datetime) -> None:
    sought = {"job_type": "resize", "machine_type": "gpu"}

    sql, params = statement(sought, skip_locked=True, now=now)

    assert "AND job_type = %s AND machine_type = %s ORDER BY priority, id LIMIT 1" in sql
    assert "FOR UPDATE SKIP LOCKED" in sql
    assert params == ["w", "1a2b", None, now, now, "resize", "gpu"]
    assert sql.count("%s") == len(params)


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan of SQLite")
@pytest.mark.parametrize(
    ("sought", "index"),
    [
        ({}, "queue_job_pending"),
        ({"machine_type": "gpu"}, "queue_job_pending"),
        ({"job_type": "resize"}, "queue_job_pending_type"),
        ({"job_type": "resize", "machine_type": "gpu"}, "queue_job_pending_type"),
        ({"job_id": "j"}, "sqlite_autoindex"),
    ],
)
def test_claiming_walks_an_index_and_never_sorts(
    now: datetime, sought: dict[str, str], index: str
) -> None:
    sql, params = statement(sought, skip_locked=False, now=now)
    values = [connection.ops.adapt_unknown_value(value) for value in params]

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        plan = " / ".join(row[-1] for row in cursor.fetchall())

    assert re.search(rf"INDEX {index}( |$|_queue_job)", plan)
    assert "TEMP B-TREE" not in plan
