"""``wait_for_jobs`` on the queue of a rehearsal: as ``machines.actions.tracking`` does it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from jobqueue.models import Job

from machines.actions.base import Call
from machines.actions.settings import SettingError
from machines.actions.tracking import DEFAULT_TIMEOUT_SECONDS, TRACKED_JOBS
from machines.core.settling import Outcome
from machines.rehearsal.jobs import LIVE, JobQueue


def wait_for_jobs(call: Call, queue: JobQueue) -> Outcome:
    """Answer when every tracked job has ended; until then wait, or say ``pending``."""
    settings = call.settings
    key = settings.text("tracked_jobs_key", TRACKED_JOBS)
    since_key = f"{key}_since"
    kept = call.context.get(since_key)
    forgotten = {} if kept is None else {since_key: None}
    tracked = _ids(call.context.get(key), key)
    if not tracked:
        return Outcome(event="no_jobs_tracked", changes=forgotten)
    changes = _sorted_by_end(tracked, queue)
    pending = changes["pending_jobs"]
    if not pending:
        event = settings.event("success", "all_jobs_complete")
        return Outcome(event=event, changes=changes | forgotten)
    now = call.services.now
    seconds = settings.seconds("timeout", DEFAULT_TIMEOUT_SECONDS, positive=True)
    since = now if kept is None else datetime.fromisoformat(kept)
    until = since + timedelta(seconds=seconds)
    if until <= now:
        why = f"{len(pending)} of {len(tracked)} jobs have not ended in {seconds:g} s"
        return _timed_out(call, why, changes | forgotten)
    changes[since_key] = since.isoformat()
    awaited = ("finished", until.isoformat(), *pending)
    if (given := settings.event("pending", None)) is not None:
        return Outcome(event=given, changes=changes, nothing=awaited)
    return Outcome(awaits=awaited, delay=until - now, changes=changes)


def _timed_out(call: Call, why: str, changes: Mapping[str, Any]) -> Outcome:
    given = call.settings.event("timeout_event", None)
    if given is None:
        return Outcome(error=why, changes=changes)
    return Outcome(event=given, changes={**changes, "last_error": why})


def _ids(tracked: Any, key: str) -> tuple[str, ...]:
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


def _sorted_by_end(tracked: Sequence[str], queue: JobQueue) -> dict[str, Any]:
    status = {name: queue.status(name) for name in tracked}
    completed = [name for name in tracked if status[name] == Job.Status.COMPLETED]
    pending = [name for name in tracked if status[name] in LIVE]
    failed = [name for name in tracked if name not in {*completed, *pending}]
    return {"completed_jobs": completed, "failed_jobs": failed, "pending_jobs": pending}
