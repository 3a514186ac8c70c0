"""See that somebody can log in."""

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from jobqueue.console import Command as BaseCommand

NAME = "admin"
PASSWORD_BYTES = 12  # 96 bits, 16 characters


class Command(BaseCommand):
    help = "Make the login `admin` with a random password, shown once, if nobody is an admin yet."
    example = "ensurelogin"

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model()._default_manager
        if users.filter(Q(is_superuser=True) | Q(username=NAME)).exists():
            return
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        users.create_superuser(username=NAME, password=password)
        self.stdout.write(
            f"\n  Log in as {NAME} with the password {password}\n"
            f"  It is shown this once; `manage.py changepassword {NAME}` sets another.\n"
        )
