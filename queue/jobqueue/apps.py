"""The Django app of the job queue: the package is `jobqueue`, the tables begin with `queue_`."""

from django.apps import AppConfig


class QueueConfig(AppConfig):
    name = "jobqueue"
    label = "queue"
    verbose_name = "Queue"
    default_auto_field = "django.db.models.BigAutoField"
