"""The pages: what all machines do, and what one of them does."""

import json
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils import timezone

from machines.core.errors import MachineError
from machines.models import Machine, Run, Step
from machines.runtime.sending import send_event_now
from monitor import messages, reading
from monitor.forms import EventForm
from monitor.pictures import picture
from monitor.presence import Pulse
from monitor.words import shown_status

# In a thread of its own: pages share one, and a host that answers late must not hold them up.
send = database_sync_to_async(send_event_now, thread_sensitive=False)


@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """A card for each machine, and how many machines and jobs there are of each status."""
    now = timezone.now()
    sought = request.GET.get("q", "").strip()
    found = reading.machines().defer("context", "turn").filter(name__icontains=sought)
    pulse = Pulse(now)
    cards = [_card(machine, pulse) for machine in found[: reading.MAX_CARDS + 1]]
    context = {
        "now": now,
        "sought": sought,
        "cards": cards[: reading.MAX_CARDS],
        "more": len(cards) > reading.MAX_CARDS,
        "max_cards": reading.MAX_CARDS,
        "jobs": messages.job_counts(reading.counts_of_jobs())["counts"],
    }
    return render(request, "monitor/overview.html", context)


def _card(machine: Machine, pulse: Pulse) -> dict[str, Any]:
    return {"machine": machine, "status": shown_status(machine.status, up=pulse.is_up(machine))}


@login_required
async def machine(request: HttpRequest, name: str) -> HttpResponse:
    """One machine: its diagram, where it stands, what it did; and a form to send it an event.

    Sending leads back to the page; a script that does not accept HTML gets the outcome as JSON.
    An unknown machine is 404, with the names that may have been meant.
    """
    if request.method != "POST":
        return await _page(request, name, EventForm())
    form = EventForm(request.POST)
    answer = await _send(form, request, name) if form.is_valid() else None
    if not request.accepts("text/html"):
        if answer is None:
            return JsonResponse({"errors": form.errors}, status=400)
        return JsonResponse({"message": answer})
    if answer is None:
        return await _page(request, name, form, status=400)
    notices.info(request, answer)
    return redirect("monitor:machine", name)


async def _send(form: EventForm, request: HttpRequest, name: str) -> str | None:
    """What became of the event, for people; None, with the error in the form, if refused."""
    event = form.cleaned_data
    actor = (await request.auser()).get_username()
    try:
        reply = await send(
            target=name,
            type=event["type"],
            payload=event["payload"],
            job_id=event["job_id"],
            source="web",
            actor=actor,
        )
    except MachineError as refusal:
        form.add_error("type", str(refusal))
        return None
    except TimeoutError:
        form.add_error("type", f"The host of {name} does not answer; the event may still arrive.")
        return None
    return outcome(event["type"], reply.as_dict())


@sync_to_async
def _page(request: HttpRequest, name: str, form: EventForm, status: int = 200) -> HttpResponse:
    found = reading.machines().filter(name=name).first()
    if found is None:
        context = {"name": name, "close_names": reading.close_names(name)}
        return render(request, "monitor/no_machine.html", context, status=404)
    return render(request, "monitor/machine.html", _shown(found, form), status=status)


def _shown(machine: Machine, form: EventForm) -> dict[str, Any]:
    now = timezone.now()
    drawn = picture(machine.definition)
    handled, others = drawn.events(machine.state)
    steps, lines = reading.newest_steps(machine), reading.newest_lines(machine)
    return {
        "now": now,
        "machine": machine,
        "status": shown_status(machine.status, up=Pulse(now).is_up(machine)),
        "picture": drawn,
        "drawing": drawn.for_scripts(machine.definition_id) | _shown_last(machine, steps, lines),
        "handled": handled,
        "others": others,
        "steps": _with_elapsed(steps),
        "lines": lines,
        "timers": list(machine.timers.all()),
        "context_items": [(k, _as_text(v)) for k, v in sorted(machine.context.items())],
        "form": form,
    }


def _shown_last(machine: Machine, steps: list[Step], lines: list[Run]) -> dict[str, Any]:
    """Where the page stands, so that its script knows what is new."""
    return {
        "machine": machine.name,
        "state": machine.state,
        "seq": steps[0].seq if steps else machine.seq,
        "last": messages.state_change(steps[0], machine.name) if steps else None,
        "run": lines[0].pk if lines else 0,
    }


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _with_elapsed(steps: list[Step]) -> list[tuple[Step, timedelta | None]]:
    """Each step with the time since the one before it; newest first."""
    before = [*steps[1:], None]
    return [
        (step, step.at - earlier.at if earlier else None)
        for step, earlier in zip(steps, before, strict=False)
    ]


def outcome(event: str, reply: dict[str, Any]) -> str:
    """What became of an event, in a sentence."""
    reason = f": {reply['reason']}" if reply.get("reason") else ""
    if reply["status"] == "processed":
        return f"{event} was processed; {reply['machine']} is in {reply['state']}."
    if reply["status"] == "accepted":
        later = "when its turn comes" if reply["running"] else "when the machine runs again"
        return f"{event} was accepted and will be judged {later}."
    return f"{event} was {reply['status']}{reason}."


@login_required
def since(request: HttpRequest, name: str) -> JsonResponse:
    """Steps after ``seq`` and log lines after ``run``, for a page that has missed some."""
    machine = get_object_or_404(Machine.objects.only("id", "name"), name=name)
    try:
        seq, run = (int(request.GET.get(key, "0")) for key in ("seq", "run"))
    except ValueError:
        return JsonResponse({"error": "seq and run are whole numbers"}, status=400)
    return JsonResponse(reading.since(machine, seq, run))


def icon(_request: HttpRequest) -> HttpResponse:
    """Where the icon of all pages is."""
    return redirect(static("monitor/icon.svg"))
