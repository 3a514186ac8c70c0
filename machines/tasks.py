"""What django-q2's workers perform for machines."""

from __future__ import annotations

import logging
import os
import socket
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.utils import timezone
from django.utils.module_loading import import_string

from machines.core.engine import MAX_CONTEXT_BYTES
from machines.core.storable import holds_nul, storable
from machines.models import Run
from machines.runtime.bells import Ringer

logger = logging.getLogger("machines.tasks")

MAX_TRACEBACK_CHARACTERS = 32_000  # the end of one is where the error is


def run_task(token: str, function: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Call ``function`` for the run named by ``token``; its end goes on record, hosts are rung.

    Delivered again while another worker is at it, or after the run has ended, nothing happens.
    """
    if not _take(token):
        logger.info("%s: run %s has ended, or another worker is at it", function, token)
        return
    outcome, message, output = _call(function, args, kwargs)
    ended = Run.objects.filter(token=token, outcome=Run.Outcome.RUNNING).update(
        outcome=outcome, message=message, output=output, ended_at=timezone.now()
    )
    if not ended:
        logger.warning("%s: its result came too late: nobody waits for run %s", function, token)
        return
    with Ringer() as ringer:
        ringer.ring_hosts()
        ringer.ring_web()


def result_of(run: Run) -> Any:
    """What the function of a run that is done returned."""
    return orjson.loads(run.output or "null")


def _take(token: str) -> bool:
    """Put this worker's name on the run; False if it is not to be performed here."""
    running = Run.objects.filter(token=token, outcome=Run.Outcome.RUNNING)
    taken_by = running.values_list("message", flat=True).first()
    if taken_by is None or _is_alive(taken_by):
        return False
    return bool(running.filter(message=taken_by).update(message=_this_worker()))


def _this_worker() -> str:
    return f"worker {os.getpid()} on {socket.gethostname()}"


def _is_alive(worker: str) -> bool:
    """True for the name of another worker of this computer that lives."""
    words = worker.split()
    if len(words) != 4 or words[3] != socket.gethostname() or worker == _this_worker():
        return False
    try:
        os.kill(int(words[1]), 0)
    except PermissionError:  # it lives, and is somebody else's
        return True
    except (ProcessLookupError, ValueError):
        return False
    return True


def _call(
    function: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Run.Outcome, str, str]:
    """Outcome, message and output of the run."""
    try:
        result = import_string(function)(*args, **kwargs)
        return Run.Outcome.DONE, "", _as_json(function, result)
    except Exception as error:
        logger.exception("%s failed", function)
        said = traceback.format_exc()[-MAX_TRACEBACK_CHARACTERS:]
        why = f"{function}: {type(error).__name__}: {error}"
        return Run.Outcome.FAILED, storable(why), storable(said)


def _as_json(function: str, result: Any) -> str:
    encoded = orjson.dumps(result)
    if len(encoded) > MAX_CONTEXT_BYTES or holds_nul(encoded):
        raise ValueError(
            f"{function} returned {len(encoded)} bytes as JSON; at most {MAX_CONTEXT_BYTES} are"
            " kept, and no NUL character"
        )
    return encoded.decode()
