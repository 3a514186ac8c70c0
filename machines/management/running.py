"""What the commands that run machines share: their flags, and their exit codes."""

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser
from jobqueue.console import Exit

from machines.runtime import definitions
from machines.runtime.launch import Order
from machines.runtime.ownership import AlreadyRuns
from machines.runtime.service import run_machines


def add_arguments(parser: CommandParser) -> None:
    """Add the flags of a host."""
    parser.add_argument("--actions-dir", metavar="DIR", help="folder of custom actions")
    parser.add_argument(
        "--control-socket-prefix",
        default="",
        metavar="PREFIX",
        help="what the path of a machine's control socket begins with, up to its name",
    )
    parser.add_argument("--log-file", metavar="FILE", help="write the log to a file too")
    parser.add_argument("--log-format", choices=("text", "json"), default="text")
    parser.add_argument("--debug", action="store_true", help="log more")


def run(orders: Sequence[Order], options: Mapping[str, Any], *, others_go_on: bool = False) -> None:
    """Run machines; ends the process with the exit code that says how it went."""
    _set_up_log(options)
    try:
        code = run_machines(
            orders, socket_prefix=options["control_socket_prefix"], others_go_on=others_go_on
        )
    except AlreadyRuns as error:
        raise CommandError(str(error), returncode=Exit.TAKEN) from error
    except definitions.Unknown as error:
        raise CommandError(str(error), returncode=Exit.UNKNOWN) from error
    if code:
        sys.exit(code)


def _set_up_log(options: Mapping[str, Any]) -> None:
    logger = logging.getLogger("machines")
    if options["debug"]:
        logger.setLevel(logging.DEBUG)
    handlers: list[logging.Handler] = list(logging.getLogger().handlers)
    if options["log_file"]:
        path = Path(options["log_file"])
        path.parent.mkdir(parents=True, exist_ok=True)
        to_file = logging.FileHandler(path)
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
        logging.getLogger().addHandler(to_file)
        handlers.append(to_file)
    if options["log_format"] == "json":
        for handler in handlers:
            handler.setFormatter(JsonFormatter())


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for programs that read logs."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        entry = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(entry).decode()
