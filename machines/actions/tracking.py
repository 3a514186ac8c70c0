"""``wait_for_jobs``: a machine waits until the jobs that it tracks have ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from jobqueue.models import Job

from machines.actions.base import ActionType, Call
from machines.actions.settings import SettingError
from machines.core.settling import Outcome
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind

TRACKED_JOBS = "spawned_jobs"
DEFAULT_TIMEOUT_SECONDS = 300.0


def wait_for_jobs(call: Call) -> Outcome:
    """Answer when every tracked job has ended; until then wait, or say ``pending``.

    The time-out counts from the first answer that some are unfinished, also across states; that
    moment is kept in the context, and any other answer forgets it.
    """
    settings = call.settings
    key = settings.text("tracked_jobs_key", TRACKED_JOBS)
    since_key = f"{key}_since"
    tracked = _ids(call.context.get(key), key)
    if not tracked:
        return Outcome(event="no_jobs_tracked", changes=_forgotten(call, since_key))
    changes = _sorted_by_end(tracked, call.services.jobs.statuses(tracked))
    pending = changes["pending_jobs"]
    if not pending:
        event = settings.event("success", "all_jobs_complete")
        return Outcome(event=event, changes={**changes, **_forgotten(call, since_key)})
    now = call.services.now
    timeout = timedelta(seconds=settings.seconds("timeout", DEFAULT_TIMEOUT_SECONDS, positive=True))
    since = _moment(call.context.get(since_key)) or now
    until = since + timeout
    if until <= now:
        changes |= _forgotten(call, since_key)
        why = (
            f"{len(pending)} of {len(tracked)} jobs have not ended in {timeout.total_seconds():g} s"
        )
        given = settings.event("timeout_event", None)
        if given is None:
            return Outcome(error=why, changes=changes)
        return Outcome(event=given, changes={**changes, "last_error": why})
    changes[since_key] = since.isoformat()
    awaited = ("finished", until.isoformat(), *pending)
    if (given := settings.event("pending", None)) is not None:
        return Outcome(event=given, changes=changes, nothing=awaited)
    return Outcome(awaits=awaited, delay=until - now, changes=changes)


def _ids(tracked: Any, key: str) -> tuple[str, ...]:
    """The ids in a list of ids, or of mappings with a job_id."""
    if tracked is None:
        return ()
    if isinstance(tracked, str):
        return (tracked,)
    if not isinstance(tracked, Sequence):
        raise SettingError(
            f"wait_for_jobs: {key!r} in the context is {tracked!r:.100}; it must be a list of ids"
        )
    ids = (item.get("job_id") if isinstance(item, Mapping) else item for item in tracked)
    return tuple(dict.fromkeys(str(name) for name in ids if name is not None))


def _sorted_by_end(tracked: Sequence[str], status: Mapping[str, str]) -> dict[str, Any]:
    """The ids by how they ended. A job that does not exist has failed: it never will complete."""
    live = {Job.Status.PENDING.value, Job.Status.PROCESSING.value}
    completed = [name for name in tracked if status.get(name) == Job.Status.COMPLETED]
    pending = [name for name in tracked if status.get(name) in live]
    failed = [name for name in tracked if name not in {*completed, *pending}]
    return {"completed_jobs": completed, "failed_jobs": failed, "pending_jobs": pending}


def _forgotten(call: Call, since_key: str) -> dict[str, Any]:
    return {since_key: None} if call.context.get(since_key) is not None else {}


def _moment(kept: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(kept)
    except (TypeError, ValueError):
        return None


TYPES = (
    ActionType(
        "wait_for_jobs",
        perform=wait_for_jobs,
        writes_tables=True,
        only_looks=True,
        on_jobs=True,
        signature=Signature(
            "wait_for_jobs",
            Kind.WAIT,
            "Wait until the jobs that are tracked have ended.",
            settings=(
                Setting(
                    "tracked_jobs_key",
                    ValueKind.KEY,
                    "the list of their ids in the context",
                    default=TRACKED_JOBS,
                ),
                Setting(
                    "timeout",
                    ValueKind.SECONDS,
                    "from the first unfinished answer, also across states",
                    default=DEFAULT_TIMEOUT_SECONDS,
                ),
            ),
            raises=(
                Raises("all_jobs_complete", "success", "every one has ended", usual=True),
                Raises(None, "pending", "some have not ended; without this setting it waits"),
                Raises(None, "timeout_event", "the time is over; without this setting it fails"),
                Raises("no_jobs_tracked", "", "the list is empty or not there"),
            ),
            sets=("completed_jobs", "failed_jobs", "pending_jobs"),
        ),
    ),
)
