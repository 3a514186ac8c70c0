"""The Django app of the pages."""

from django.apps import AppConfig


class MonitorConfig(AppConfig):
    """Pages and live feed; it has no tables of its own."""

    name = "monitor"
