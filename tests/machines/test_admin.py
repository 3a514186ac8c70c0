"""Machines in the admin: found and read, not written."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from machines.models import Event, Machine, MachineDefinition, Process, Run, Step, Timer

NOW = datetime(2030, 1, 31, 18, 0, tzinfo=UTC)
ALL = [MachineDefinition, Machine, Event, Step, Run, Timer, Process]

Fill = Callable[[int], None]


def url(model: type[models.Model], page: str, *arguments: Any) -> str:
    return reverse(f"admin:machines_{model._meta.model_name}_{page}", args=arguments)


@pytest.fixture
def definition(db: None) -> MachineDefinition:
    return MachineDefinition.objects.create(
        name="sorter", version=1, sha256="a" * 64, source="states: [<a>]\n", origin="sorter.yaml"
    )


@pytest.fixture
def fill(definition: MachineDefinition) -> Fill:
    """Makes one more row of everything, named after a number."""

    def fill_with(number: int) -> None:
        process = Process.objects.create(kind="host", host="elsewhere", pid=number)
        machine = Machine.objects.create(
            name=f"m{number}",
            definition=definition,
            states=["waiting"],
            context={"text": "<b>"},
            process=process,
        )
        event = Event.objects.create(
            key=str(number), target=machine.name, type="go", payload={"text": "<b>"}
        )
        Step.objects.create(
            machine=machine,
            seq=1,
            event="go",
            event_row=event,
            source="waiting",
            target="waiting",
            status="paused" if number % 2 else "",
            changes={"text": "<b>"},
            definition=definition,
            at=NOW,
        )
        Run.objects.create(
            machine=machine,
            seq=1,
            index=0,
            type="bash",
            outcome="done",
            output="<b>",
            started_at=NOW,
        )
        Timer.objects.create(machine=machine, seq=1, name="timeout(5)", due_at=NOW)

    return fill_with


@pytest.mark.parametrize("model", ALL)
def test_a_list_asks_a_fixed_number_of_questions(
    admin_client: Client, fill: Fill, model: type[models.Model], django_assert_num_queries: Any
) -> None:
    fill(1)
    with CaptureQueriesContext(connection) as for_one:
        admin_client.get(url(model, "changelist"))
    for number in range(2, 6):
        fill(number)

    with django_assert_num_queries(len(for_one)):
        page = admin_client.get(url(model, "changelist"))

    assert page.status_code == 200


@pytest.mark.parametrize("model", ALL)
def test_rows_are_shown_and_never_written(
    admin_client: Client, fill: Fill, model: type[models.Model]
) -> None:
    fill(1)
    row = model._default_manager.latest("pk")

    page = admin_client.get(url(model, "change", row.pk))

    assert page.status_code == 200
    assert "<b>" not in page.content.decode()
    assert "_save" not in page.content.decode()
    assert admin_client.post(url(model, "change", row.pk), {}).status_code == 403
    assert admin_client.get(url(model, "add")).status_code == 403
    assert admin_client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    ("model", "query", "count"),
    [
        (MachineDefinition, "sor", 1),
        (MachineDefinition, "ter", 0),
        (Machine, "m", 2),
        (Machine, "sorter", 2),
        (Event, "m1", 1),
        (Event, "go", 2),
        (Step, "m2", 1),
        (Run, "bash", 2),
        (Timer, "m1", 1),
        (Process, "else", 2),
        (Process, "2", 1),
    ],
)
def test_a_list_finds_rows(
    admin_client: Client, fill: Fill, model: type[models.Model], query: str, count: int
) -> None:
    fill(1)
    fill(2)

    page = admin_client.get(url(model, "changelist"), {"q": query})

    assert len(page.context["cl"].result_list) == count


def test_steps_that_changed_a_status_are_found(admin_client: Client, fill: Fill) -> None:
    fill(1)
    fill(2)

    page = admin_client.get(url(Step, "changelist"), {"status": "paused"})

    assert [step.machine.name for step in page.context["cl"].result_list] == ["m1"]


def test_a_definition_shows_its_source_and_its_versions(
    admin_client: Client, definition: MachineDefinition
) -> None:
    newer = MachineDefinition.objects.create(name="sorter", version=2, sha256="b", source="x")

    page = admin_client.get(url(MachineDefinition, "change", definition.pk)).content.decode()

    assert "<pre>states: [&lt;a&gt;]\n</pre>" in page
    assert f'<a href="{url(MachineDefinition, "change", newer.pk)}">v2</a>' in page


def test_a_definition_that_only_a_step_remembers_is_kept(
    admin_client: Client, fill: Fill, definition: MachineDefinition
) -> None:
    fill(1)
    newer = MachineDefinition.objects.create(name="sorter", version=2, sha256="b", source="x")
    Machine.objects.update(definition=newer)

    answer = admin_client.post(url(MachineDefinition, "delete", definition.pk), {"post": "yes"})

    assert answer.status_code == 403
    assert MachineDefinition.objects.filter(pk=definition.pk).exists()


def test_a_definition_that_nothing_uses_is_deleted(
    admin_client: Client, definition: MachineDefinition
) -> None:
    answer = admin_client.post(url(MachineDefinition, "delete", definition.pk), {"post": "yes"})

    assert answer.status_code == 302
    assert not MachineDefinition.objects.filter(pk=definition.pk).exists()
