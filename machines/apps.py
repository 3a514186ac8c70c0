"""The Django app of machines."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from jobqueue.signals import job_finished, job_ready


class MachinesConfig(AppConfig):
    """Machines: definitions, instances, events and the record of their steps."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "machines"

    def ready(self) -> None:
        """Listen to the queue, and put the examples on record when the tables are there."""
        job_ready.connect(_ring_hosts, dispatch_uid="machines.job_ready")
        job_finished.connect(_ring_hosts, dispatch_uid="machines.job_finished")
        post_migrate.connect(_register_examples, sender=self, dispatch_uid="machines.examples")


def _ring_hosts(**_job: Any) -> None:
    from machines.runtime.bells import Ringer

    with Ringer() as ringer:
        ringer.ring_hosts()
        ringer.ring_web()


def _register_examples(**_migration: Any) -> None:
    from machines.runtime.definitions import register_examples

    register_examples()
