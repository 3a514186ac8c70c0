"""Jobs in the admin."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from jobqueue.admin import JobAdmin
from jobqueue.models import Job

MakeJob = Callable[..., Job]

FORM = {
    "job_id": "j",
    "source_job_id": "",
    "job_type": "resize",
    "machine_type": "",
    "data": '{"a": 1}',
    "priority": "3",
    "run_at_0": "",
    "run_at_1": "",
    "max_attempts": "5",
    "unique_key": "",
    "attempt_set-TOTAL_FORMS": "0",
    "attempt_set-INITIAL_FORMS": "0",
}


def change_url(job: Job) -> str:
    return reverse("admin:queue_job_change", args=[job.pk])


def test_the_list_finds_jobs_by_id_and_type(admin_client: Client, make_job: MakeJob) -> None:
    make_job("alpha")
    make_job("beta", job_type="print")
    url = reverse("admin:queue_job_changelist")

    def found(query: str) -> list[str]:
        page = admin_client.get(url, {"q": query})
        return [job.job_id for job in page.context["cl"].result_list]

    assert found("") == ["beta", "alpha"]
    assert found("alp") == ["alpha"]
    assert found("print") == ["beta"]


def test_a_job_is_made_and_announced(
    admin_client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    url = reverse("admin:queue_job_add")
    assert admin_client.get(url).status_code == 200

    with django_capture_on_commit_callbacks() as announced:
        answer = admin_client.post(url, FORM)

    job = Job.objects.get(job_id="j")
    assert answer.status_code == 302
    assert (job.data, job.priority, job.created_by) == ({"a": 1}, 3, "admin")
    assert len(announced) == 1


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("{", "Enter a valid JSON."),
        ("[1]", "It may be an object"),
        ('{"a": "\\u0000"}', "holds a NUL character"),
    ],
)
def test_data_is_checked_at_the_form(admin_client: Client, data: str, complaint: str) -> None:
    answer = admin_client.post(reverse("admin:queue_job_add"), {**FORM, "data": data})

    assert complaint in answer.context["adminform"].form.errors["data"][0]
    assert not Job.objects.exists()


def test_left_out_data_is_an_empty_object(admin_client: Client) -> None:
    admin_client.post(reverse("admin:queue_job_add"), {**FORM, "data": ""})

    assert Job.objects.get().data == {}


def test_a_waiting_job_can_be_corrected(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job("j", data={"a": 1})

    page = admin_client.get(change_url(job)).content.decode()
    answer = admin_client.post(change_url(job), {**FORM, "data": '{"a": 2}'})

    job.refresh_from_db()
    assert "{\n  &quot;a&quot;: 1\n}" in page
    assert answer.status_code == 302
    assert (job.data, job.priority) == ({"a": 2}, 3)


def test_saving_without_a_change_changes_nothing(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job("j", data={"a": 1}, priority=3)

    assert admin_client.post(change_url(job), FORM).status_code == 302


def test_a_claimed_job_is_only_shown(
    admin_client: Client, make_job: MakeJob, now: datetime
) -> None:
    job = make_job("j", data={"a": "<b>"})
    Job.objects.claim("j", worker="w", now=now)

    page = admin_client.get(change_url(job)).content.decode()
    answer = admin_client.post(change_url(job), FORM)

    assert "<pre>{\n  &quot;a&quot;: &quot;&lt;b&gt;&quot;\n}</pre>" in page
    assert answer.status_code == 403
    assert Job.objects.get().data == {"a": "<b>"}


def test_a_correction_never_undoes_a_claim(
    make_job: MakeJob, now: datetime, rf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job("j")
    Job.objects.claim("j", worker="w", now=now)
    told: list[str] = []
    monkeypatch.setattr("jobqueue.admin.messages.error", lambda _, text: told.append(text))
    page = JobAdmin(Job, None)  # type: ignore[arg-type]  # the site is not asked
    form = type("Form", (), {"changed_data": ["priority"]})
    job.priority = 1

    page.save_model(rf.post("/"), job, form, change=True)

    row = Job.objects.get()
    assert (row.status, row.claimed_by, row.priority) == ("processing", "w", 5)
    assert told == ["Nothing saved: 'j' was claimed in the meantime."]


def test_jobs_are_not_deleted_by_hand(admin_client: Client, make_job: MakeJob) -> None:
    job = make_job("j")

    answer = admin_client.post(reverse("admin:queue_job_delete", args=[job.pk]), {"post": "yes"})

    assert answer.status_code == 403
