"""Django for programs that ``manage.py`` does not start: what they need not write themselves."""

from __future__ import annotations

import os
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SETTINGS = "smproject.settings"


def set_up() -> None:
    """Set Django up with the project's settings, unless the program has done it, or has its own.

    Raises ImproperlyConfigured, which says what is missing.
    """
    if not settings.configured:
        module = os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
        try:
            django.setup()
        except ModuleNotFoundError as error:
            project = Path(__file__).resolve().parent.parent
            raise ImproperlyConfigured(
                f"the settings {module!r} (DJANGO_SETTINGS_MODULE) cannot be imported: {error};"
                f" run the program in the project's folder, or with PYTHONPATH={project}"
            ) from error
    if "machines" not in settings.INSTALLED_APPS and not apps.is_installed("machines"):
        raise ImproperlyConfigured(
            f"the settings {os.environ.get('DJANGO_SETTINGS_MODULE', '')!r} do not have 'machines'"
            " and 'jobqueue' in INSTALLED_APPS; without DJANGO_SETTINGS_MODULE the project's own"
            f" are used ({SETTINGS})"
        )
