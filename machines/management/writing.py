"""Where a command puts a text that it made: a file, or standard output."""

from pathlib import Path

from django.core.management.base import CommandError
from jobqueue.console import Command


def write(command: Command, text: str, output: Path | None) -> None:
    """Write ``text`` to ``output`` and say so; None: print it. Exit code 1 if it cannot be."""
    if output is None:
        command.stdout.write(text, ending="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot write {output}: {error.strerror}") from error
    command.talk(f"wrote {output}")
