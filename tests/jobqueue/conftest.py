"""What the tests of the queue share: a moment, and jobs made by the queue's own door."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from jobqueue.intake import create_job
from jobqueue.models import Job


@pytest.fixture
def now() -> datetime:
    return datetime(2030, 1, 31, 18, 0, tzinfo=UTC)


@pytest.fixture
def make_job(db: None) -> Callable[..., Job]:
    def make(job_id: str | None = None, **settings: Any) -> Job:
        return create_job(**{"job_type": "resize", "job_id": job_id, **settings})

    return make
