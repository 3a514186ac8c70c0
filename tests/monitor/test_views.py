import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from jobqueue.models import Job
from pytest_django import DjangoAssertNumQueries

from machines.models import Event, Machine, Run, Timer
from monitor.views import outcome
from tests.core.hostile_names import HOSTILE_NAMES
from tests.monitor.conftest import TakeStep

MakeMachine = Callable[..., Machine]
pytestmark = pytest.mark.django_db
# Sending uses a connection of its own thread, which sees only what is committed.
sends = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visitor(client: Client, viewer: User) -> Client:
    """A browser that is logged in."""
    client.force_login(viewer)
    return client


@pytest.mark.parametrize("path", ["/", "/machines/kitchen/", "/machines/kitchen/since/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_pages_ask_for_a_login(client: Client, kitchen: Machine, method: str, path: str) -> None:
    response = getattr(client, method)(path)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/?next=/")
    assert not Event.objects.exists()


def test_overview_shows_a_card_for_each_machine(visitor: Client, make_machine: MakeMachine) -> None:
    make_machine("kitchen", status=Machine.Status.RUNNING)
    make_machine("cellar", status=Machine.Status.FINISHED, states=["closed"])

    text = visitor.get("/").content.decode()

    assert re.findall(r'data-machine="(\w+)" data-status="(\w+)"', text) == [
        ("cellar", "finished"),
        ("kitchen", "down"),
    ]
    assert '<p class="state" data-field="state">closed</p>' in text


def test_overview_without_machines_says_how_to_start_one(visitor: Client) -> None:
    text = visitor.get("/").content.decode()

    assert "manage.py runmachine examples/simple_worker/config/worker.yaml" in text


def test_overview_filters_by_name(visitor: Client, make_machine: MakeMachine) -> None:
    for name in ("kitchen", "cellar"):
        make_machine(name)

    text = visitor.get("/", {"q": "CELL"}).content.decode()

    assert re.findall(r'data-machine="(\w+)"', text) == ["cellar"]


def test_overview_counts_jobs_by_status(visitor: Client) -> None:
    Job.objects.create(job_type="bake")

    text = visitor.get("/").content.decode()

    assert '<strong data-field="count">1</strong> <span>pending</span>' in text


def test_overview_asks_the_database_as_often_for_many_machines(
    visitor: Client,
    make_machine: MakeMachine,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_machine("kitchen")
    with django_assert_num_queries(4):  # session, user, machines, jobs
        visitor.get("/")
    for number in range(20):
        make_machine(f"kitchen-{number}")

    with django_assert_num_queries(4):
        visitor.get("/")


def test_machine_page_shows_where_it_stands_and_what_it_did(
    visitor: Client, kitchen: Machine, take_step: TakeStep
) -> None:
    take_step(kitchen, "cooking")
    Timer.objects.create(machine=kitchen, seq=1, name="timeout(5)", due_at=timezone.now())
    Machine.objects.update(context={"eggs": 2, "guest": "ada"})
    Run.objects.create(
        machine=kitchen,
        seq=1,
        index=0,
        type="bash",
        outcome=Run.Outcome.FAILED,
        message="boil",
        output="\x1b[31mtoo hot",
        started_at=timezone.now(),
    )

    text = visitor.get("/machines/kitchen/").content.decode()

    for shown in (
        '<p class="state" id="state" aria-live="polite">cooking</p>',
        "<dt>eggs</dt><dd>2</dd>",
        "<dt>guest</dt><dd>ada</dd>",
        "<span>timeout(5)</span>",
        'data-outcome="failed"',
        ">too hot</pre>",
        '<button name="pick" value="done">done</button>',
        '<option value="order">',
        '<tr data-seq="1">',
    ):
        assert shown in text
    assert text.index('value="done"') < text.index('value="order"')


def test_machine_page_asks_the_database_as_often_for_many_rows(
    visitor: Client,
    kitchen: Machine,
    take_step: TakeStep,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    # Session, user (for the view and for the template), machine, source, steps, lines, timers.
    queries = 8
    with django_assert_num_queries(queries):
        visitor.get("/machines/kitchen/")
    for _ in range(20):
        take_step(kitchen, "cooking")

    with django_assert_num_queries(queries):
        visitor.get("/machines/kitchen/")


def test_unknown_machine_is_404_with_the_name_that_was_meant(
    visitor: Client, kitchen: Machine
) -> None:
    response = visitor.get("/machines/kitchne/")

    assert response.status_code == 404
    assert 'Did you mean <a href="/machines/kitchen/">kitchen</a>' in response.content.decode()


@pytest.mark.parametrize("name", HOSTILE_NAMES[:12])
def test_hostile_text_stands_in_a_page_as_text(
    visitor: Client, kitchen: Machine, take_step: TakeStep, name: str
) -> None:
    take_step(kitchen, name, event=name)
    Machine.objects.update(context={name: name}, fault=name)

    text = visitor.get("/machines/kitchen/").content.decode()

    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "<!-- c" not in text


@sends
def test_sending_leads_back_to_the_page_with_what_became_of_it(
    visitor: Client, kitchen: Machine
) -> None:
    response = visitor.post(
        "/machines/kitchen/",
        {"pick": "order", "payload": '{"eggs": 2}', "job_id": "j1"},
        follow=True,
    )

    event = Event.objects.get()
    assert (event.type, event.payload, event.job_id) == ("order", {"eggs": 2}, "j1")
    assert (event.source, event.actor) == ("web", "ada")
    assert response.redirect_chain == [("/machines/kitchen/", 302)]
    assert "order was accepted" in response.content.decode()


def test_sending_what_is_no_json_shows_the_error_and_keeps_the_text(
    visitor: Client, kitchen: Machine
) -> None:
    response = visitor.post("/machines/kitchen/", {"type": "order", "payload": "{eggs}"})

    text = response.content.decode()
    assert response.status_code == 400
    assert "This is no JSON" in text
    assert "{eggs}</textarea>" in text
    assert not Event.objects.exists()


@sends
def test_sending_to_an_unknown_machine_shows_the_refusal(visitor: Client, kitchen: Machine) -> None:
    response = visitor.post(
        "/machines/kitchne/", {"type": "order"}, headers={"accept": "application/json"}
    )

    assert response.status_code == 400
    assert "kitchen" in response.json()["errors"]["type"][0]


@sends
def test_sending_by_script_answers_in_json(visitor: Client, kitchen: Machine) -> None:
    response = visitor.post(
        "/machines/kitchen/", {"type": "order"}, headers={"accept": "application/json"}
    )

    assert response.json() == {
        "message": "order was accepted and will be judged when the machine runs again."
    }


def test_sending_needs_the_token_of_the_form(viewer: User, kitchen: Machine) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(viewer)

    response = client.post("/machines/kitchen/", {"type": "order"})

    assert response.status_code == 403


def test_since_has_the_steps_and_lines_that_a_page_has_missed(
    visitor: Client, kitchen: Machine, take_step: TakeStep
) -> None:
    for _ in range(3):
        take_step(kitchen, "cooking")

    found = visitor.get("/machines/kitchen/since/", {"seq": 1, "run": 0}).json()

    assert [step["seq"] for step in found["steps"]] == [2, 3]
    assert found["lines"] == []


@pytest.mark.parametrize("seq", ["x", "1.5", "1e400"])
def test_since_refuses_what_is_no_number(visitor: Client, kitchen: Machine, seq: str) -> None:
    response = visitor.get("/machines/kitchen/since/", {"seq": seq})

    assert response.status_code == 400


def test_icon_of_all_pages_is_found(client: Client) -> None:
    response = client.get("/favicon.ico")

    assert response["Location"] == "/static/monitor/icon.svg"


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (
            {"status": "processed", "state": "cooking"},
            "order was processed; kitchen is in cooking.",
        ),
        (
            {"status": "accepted", "running": True},
            "order was accepted and will be judged when its turn comes.",
        ),
        (
            {"status": "ignored", "reason": "no transition"},
            "order was ignored: no transition.",
        ),
    ],
)
def test_outcome_says_what_became_of_an_event(reply: dict[str, object], sentence: str) -> None:
    assert outcome("order", {"machine": "kitchen"} | reply) == sentence
