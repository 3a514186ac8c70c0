#!/usr/bin/env python
"""Django's command line, with the project's settings."""

import os
import sys


def main() -> None:
    """Run the management command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smproject.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as missing:
        advice = "run `make setup`, then `.venv/bin/python manage.py …`"
        raise SystemExit(f"Django is not installed here: {advice}") from missing
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
