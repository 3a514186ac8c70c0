"""What happens while a machine is down: events that come, and time that passes."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from machines.models import Event, Machine, Timer


async def comes(event: str, *, seconds_ago: float = 0, payload: Any = None) -> None:
    """Let an event come for ``machine`` so long ago."""
    at = timezone.now() - timedelta(seconds=seconds_ago)
    key = f"{event} {await Event.objects.acount()}"
    await Event.objects.acreate(
        key=key, target="machine", type=event, payload=payload, created_at=at
    )


async def ages(seconds: float) -> None:
    """Let ``machine`` have entered its state so much earlier, and its deadlines too."""
    earlier = timedelta(seconds=seconds)
    machine = await Machine.objects.aget(name="machine")
    assert machine.entered_at is not None
    machine.entered_at -= earlier
    await machine.asave(update_fields=["entered_at"])
    async for timer in Timer.objects.filter(machine=machine):
        timer.due_at -= earlier
        await timer.asave(update_fields=["due_at"])


async def is_cut_off(*, token: str = "cut-off") -> None:  # noqa: S107 - of a run
    """Let ``machine`` be as a host leaves it that is killed while its first action works."""
    machine = await Machine.objects.aget(name="machine")
    run = await machine.runs.order_by("-id").afirst()
    assert run is not None
    run.token, run.outcome, run.ended_at = token, "running", None
    await run.asave()
    machine.status = Machine.Status.RUNNING
    machine.turn = machine.turn | {"work": [[-1, run.index], token, run.attempt]}
    await machine.asave(update_fields=["status", "turn"])
