"""Many jobs from a file."""

import io
from pathlib import Path

import pytest
from jobqueue.batch import GROUP_LINES, create_batch, read_lines
from jobqueue.errors import JobError
from jobqueue.models import Job

pytestmark = pytest.mark.django_db


def test_every_line_is_a_job_in_the_order_of_the_file() -> None:
    lines = ['{"job_type": "a", "job_id": "1", "run_at": "2030-01-01T00:00:00Z"}\n', "\n"]
    lines += ['{"job_type": "b", "job_id": "2", "priority": 1, "data": {"x": 1}}\n']

    jobs = list(create_batch("f", lines, created_by="me"))

    assert [job.job_id for job in jobs] == ["1", "2"]
    assert list(Job.objects.values_list("created_by", flat=True)) == ["me", "me"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "f:3: not JSON: "),
        ("[]", 'f:3: a line is an object, such as {"job_type": "resize"}'),
        ('{"job_typ": "a"}', "f:3: no key 'job_typ'; did you mean 'job_type'?"),
        ('{"zzz": 1}', "f:3: no key 'zzz'; keys are job_type, data, "),
        ('{"data": {}}', "f:3: job_type is missing"),
        ('{"job_type": "a", "priority": 12}', "f:3: priority: 12; it may be"),
        ('{"job_type": "a", "job_id": "1"}', "f:3: a job '1' exists already"),
    ],
)
def test_a_faulty_line_is_named_and_its_group_stores_nothing(line: str, complaint: str) -> None:
    lines = ['{"job_type": "a", "job_id": "1"}', "", line]

    with pytest.raises(JobError) as refusal:
        list(create_batch("f", lines, created_by="me"))

    assert str(refusal.value).startswith(complaint)
    assert str(refusal.value).endswith("(nothing is stored)")
    assert not Job.objects.exists()


def test_groups_before_the_faulty_one_stay() -> None:
    lines = ['{"job_type": "a"}'] * (GROUP_LINES + 1) + ["?"]

    with pytest.raises(JobError, match=rf"^f:502: .*\(lines 1 to {GROUP_LINES} are stored\)$"):
        list(create_batch("f", lines, created_by="me"))

    assert Job.objects.count() == GROUP_LINES


def test_lines_come_from_a_file_or_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "jobs.jsonl"
    file.write_text("a\nż\n", encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO("c\n"))

    assert list(read_lines(str(file))) == ["a\n", "ż\n"]
    assert list(read_lines("-")) == ["c\n"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    with pytest.raises(JobError, match=r"/missing: cannot be read: No such file or directory$"):
        list(read_lines(str(tmp_path / "missing")))
    with pytest.raises(JobError, match=r"/binary: cannot be read: .*codec can't decode"):
        list(read_lines(str(binary)))
