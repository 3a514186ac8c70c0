"""Find a job for a command, or say which one was probably meant."""

from jobqueue.console import SUGGESTIONS_FROM, unknown
from jobqueue.models import Job


def find_job(job_id: str) -> Job:
    """The job with this id; else the fault of exit code 3, with the nearest recent id."""
    job = Job.objects.filter(job_id=job_id).first()
    if job is None:
        recent = Job.objects.order_by("-id").values_list("job_id", flat=True)[:SUGGESTIONS_FROM]
        raise unknown("job", job_id, recent, hint="listjobs shows them")
    return job
