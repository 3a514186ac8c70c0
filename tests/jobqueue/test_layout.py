"""The folder `queue` stays out of the way of Python's own `queue` module."""

import queue
import sysconfig
from pathlib import Path

from django.apps import apps
from jobqueue.models import Attempt, Job


def test_import_queue_gives_the_standard_library() -> None:
    assert Path(queue.__file__).is_relative_to(sysconfig.get_path("stdlib"))
    assert queue.Queue is not None


def test_tables_and_admin_section_carry_the_name_queue() -> None:
    config = apps.get_app_config("queue")

    assert config.name == "jobqueue"
    assert config.verbose_name == "Queue"
    assert (Job._meta.db_table, Attempt._meta.db_table) == ("queue_job", "queue_attempt")
