"""The statement that claims a job: it chooses, marks and returns the row in one go.

Nobody comes between choosing and marking: SQLite has one writer, PostgreSQL locks the chosen row.
The status is written into the SQL, never bound: SQLite uses a partial index only if the
statement itself repeats the index's condition.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def claim_statement(
    sought: Mapping[str, str],
    *,
    claimed_by: str,
    claim_token: str,
    lease_expires_at: datetime | None,
    now: datetime,
    skip_locked: bool,
) -> tuple[str, list[Any]]:
    """SQL and parameters that claim the most urgent job ready at ``now``; it returns 0 or 1 rows.

    ``sought`` maps columns of the job to the exact values wanted. ``skip_locked``: pass over
    rows that others are claiming right now (PostgreSQL) instead of waiting for them.
    """
    conditions = "".join(f" AND {column} = %s" for column in sought)
    lock = " FOR UPDATE SKIP LOCKED" if skip_locked else ""
    sql = (
        "UPDATE queue_job SET status = 'processing', attempts = attempts + 1,"  # noqa: S608
        " claimed_by = %s, claim_token = %s, lease_expires_at = %s, started_at = %s"
        " WHERE id = ("
        "SELECT id FROM queue_job WHERE status = 'pending'"
        f" AND (run_at IS NULL OR run_at <= %s){conditions}"
        f" ORDER BY priority, id LIMIT 1{lock}) RETURNING *"
    )
    return sql, [claimed_by, claim_token, lease_expires_at, now, now, *sought.values()]
