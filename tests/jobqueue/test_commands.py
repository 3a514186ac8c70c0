"""createjob, listjobs and finishjob, as they are called."""

import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from jobqueue.console import Exit
from jobqueue.models import Job

MakeJob = Callable[..., Job]

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def talked(*arguments: str) -> str:
    err = io.StringIO()
    call_command(*arguments, stdout=io.StringIO(), stderr=err)
    return err.getvalue()


def parsed(*arguments: str) -> Any:
    return json.loads(printed(*arguments, "--format", "json"))


def test_createjob_stores_what_the_flags_say() -> None:
    flags = ["--type", "resize", "--data", '{"a": 1}', "--job-id", "j", "--source-job-id", "i"]
    flags += ["--machine-type", "gpu", "--priority", "2", "--max-attempts", "3"]
    flags += ["--run-at", "2030-01-31T18:00:00Z", "--unique-key", "k"]

    shown = parsed("createjob", *flags)

    job = Job.objects.get(job_id="j")
    assert (job.job_type, job.data, job.source_job_id) == ("resize", {"a": 1}, "i")
    assert (job.machine_type, job.priority, job.max_attempts) == ("gpu", 2, 3)
    assert (str(job.run_at), job.unique_key) == ("2030-01-31 18:00:00+00:00", "k")
    assert job.created_by == "createjob"
    assert (shown["job_id"], shown["status"], shown["data"]) == ("j", "pending", {"a": 1})


def test_createjob_shows_the_job_to_people() -> None:
    shown = printed("createjob", "--type", "resize", "--job-id", "j")

    assert "job id         j\n" in shown


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--type", "a", "--batch", "f"), 1),
        (("--batch", "f", "--priority", "3"), Exit.USAGE),
        (("--type", "a", "--priority", "0"), Exit.FAILED),
        (("--type", "a", "--data", "[]"), Exit.FAILED),
        (("--batch", "/nowhere"), Exit.FAILED),
    ],
)
def test_createjob_refuses(arguments: tuple[str, ...], code: int) -> None:
    with pytest.raises(CommandError) as fault:
        call_command("createjob", *arguments)

    assert fault.value.returncode == code
    assert not Job.objects.exists()


def test_createjob_batch_counts_for_people_and_lists_for_programs(tmp_path: Path) -> None:
    file = tmp_path / "jobs.jsonl"
    file.write_text('{"job_type": "a"}\n{"job_type": "b"}\n', encoding="utf-8")

    counted = talked("createjob", "--batch", str(file))
    listed = parsed("createjob", "--batch", str(file))

    assert counted == "2 jobs created\n"
    assert [job["job_type"] for job in listed] == ["a", "b"]
    assert Job.objects.count() == 4


def test_listjobs_lists_the_newest_first(make_job: MakeJob, now: datetime) -> None:
    for job_id in ("1", "2", "3"):
        make_job(job_id, job_type="odd" if job_id in "13" else "even")
    Job.objects.claim("3", worker="w", now=now)

    def ids(*filters: str) -> list[str]:
        return [job["job_id"] for job in parsed("listjobs", *filters)]

    assert ids() == ["3", "2", "1"]
    assert ids("--limit", "2") == ["3", "2"]
    assert ids("--status", "pending") == ["2", "1"]
    assert ids("--type", "odd") == ["3", "1"]
    assert ids("--type", "odd", "--status", "processing") == ["3"]
    assert ids("--type", "none") == []


def test_listjobs_is_a_table_for_people(make_job: MakeJob) -> None:
    make_job("j")

    lines = printed("listjobs").splitlines()

    assert lines[0].startswith("job id  job type  status   priority  attempts  claimed by")
    assert lines[2].split()[:3] == ["j", "resize", "pending"]
    assert talked("listjobs", "--status", "failed") == "no jobs\n"


def test_listjobs_shows_one_job_whole(make_job: MakeJob) -> None:
    make_job("j", data={"a": 1})

    assert parsed("listjobs", "j")["data"] == {"a": 1}
    assert 'data           {"a":1}\n' in printed("listjobs", "j")


@pytest.mark.parametrize("command", [("listjobs", "jbo-1"), ("finishjob", "jbo-1", "failed")])
def test_an_unknown_id_ends_with_3_and_a_suggestion(
    make_job: MakeJob, command: tuple[str, ...]
) -> None:
    make_job("job-1")

    with pytest.raises(CommandError, match="no job 'jbo-1'; did you mean 'job-1'") as fault:
        call_command(*command)

    assert fault.value.returncode == Exit.UNKNOWN


def test_finishjob_completes_with_a_result(make_job: MakeJob, now: datetime) -> None:
    make_job("j")
    Job.objects.claim("j", worker="w", now=now)

    shown = parsed("finishjob", "j", "completed", "--result", "[1]")

    job = Job.objects.get(job_id="j")
    assert (job.status, job.result, job.finished_by) == ("completed", [1], "finishjob")
    assert (shown["status"], shown["result"], shown["claimed_by"]) == ("completed", [1], "w")


@pytest.mark.parametrize(
    ("flags", "reason"), [(["--reason", "no paper"], "no paper"), ([], "failed from outside")]
)
def test_finishjob_fails_with_a_reason(
    make_job: MakeJob, now: datetime, flags: list[str], reason: str
) -> None:
    make_job("j")
    Job.objects.claim("j", worker="w", now=now)

    shown = parsed("finishjob", "j", "failed", *flags)

    assert (shown["status"], shown["error_message"]) == ("failed", reason)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("completed",), "job 'j' is pending; only a processing job can be ended"),
        (("completed", "--reason", "x"), "--reason does not go with completed"),
        (("failed", "--result", "1"), "--result does not go with failed"),
        (("cancelled",), "invalid choice"),
    ],
)
def test_finishjob_refuses(make_job: MakeJob, arguments: tuple[str, ...], complaint: str) -> None:
    make_job("j")

    with pytest.raises(CommandError, match=complaint):
        call_command("finishjob", "j", *arguments)

    assert Job.objects.get(job_id="j").status == "pending"
