"""The Django app of machines."""

from django.apps import AppConfig


class MachinesConfig(AppConfig):
    """Machines: definitions, instances, events and the record of their steps."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "machines"
