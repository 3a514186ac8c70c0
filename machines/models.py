"""The tables of machines: what was defined, what runs, what arrived, what happened.

``Event`` and ``Step`` are an audit: never edited by hand, pruned by age only. The journal of a
host writes them with SQL of its own (``runtime/rows.py``), so a column added here is added there.
Foreign keys of the audit carry no constraint: it is written fast, and pruned in small batches.
"""

from __future__ import annotations

import socket
from typing import ClassVar

from django.db import models
from django.utils import timezone
from jobqueue.models import Job

MACHINE_NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"


class MachineDefinition(models.Model):
    """One version of a YAML file: immutable, so a step can always be drawn as it was taken."""

    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField(help_text="Counts from 1 within a name.")
    sha256 = models.CharField(max_length=64)
    source = models.TextField(help_text="The YAML text.")
    origin = models.TextField(blank=True, help_text="The file it was read from.")
    template = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "sha256"], name="definition_content_once"),
            models.UniqueConstraint(fields=["name", "version"], name="definition_version_once"),
        ]
        ordering = ["name", "-version"]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Process(models.Model):
    """An operating system process of ours that is, or was, alive."""

    class Kind(models.TextChoices):
        HOST = "host"  # runs machines
        WEB = "web"  # serves pages
        WORKERS = "workers"  # django-q2's cluster

    kind = models.CharField(max_length=10, choices=Kind.choices)
    host = models.CharField(max_length=255, help_text="Name of the computer.")
    pid = models.PositiveIntegerField()
    socket_path = models.CharField(max_length=255, blank=True)
    version = models.CharField(max_length=50, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "processes"
        ordering = ["-heartbeat_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.host}:{self.pid}"

    @property
    def is_here(self) -> bool:
        """True if it is, or was, a process of this computer."""
        return self.host == socket.gethostname()


class Machine(models.Model):
    """An instance of a definition: where it stands, and who runs it.

    Only the host that owns it (``process``, ``epoch``) writes it; others write ``wanted`` and ring.
    """

    class Status(models.TextChoices):
        NEW = "new"  # has a row, has never begun
        RUNNING = "running"  # a host owns it, or owned it and died
        PAUSED = "paused"  # owned, holds its events back
        STOPPED = "stopped"  # not owned, goes on where it was when run again
        FINISHED = "finished"  # reached the end; begins anew when run again
        FAULTED = "faulted"  # cannot go on; begins anew with --restart only

    ENDED = (Status.STOPPED, Status.FINISHED, Status.FAULTED)

    name = models.CharField(max_length=63, unique=True)
    definition = models.ForeignKey(
        MachineDefinition, on_delete=models.PROTECT, related_name="machines"
    )
    states = models.JSONField(default=list, help_text="Names of the active states.")
    context = models.JSONField(default=dict)
    turn = models.JSONField(default=dict, help_text="What is left of the round of actions.")
    last_event = models.ForeignKey(
        "Event", null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    job = models.ForeignKey(
        Job, null=True, on_delete=models.SET_NULL, related_name="machines", db_constraint=False
    )
    job_token = models.CharField(max_length=32, blank=True, help_text="Empty: not claimed by it.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.NEW)
    fault = models.TextField(blank=True, help_text="Why it is faulted.")
    wanted = models.CharField(max_length=10, blank=True, help_text="Asked for by others.")
    seq = models.PositiveBigIntegerField(default=0, help_text="Number of its last step.")
    epoch = models.PositiveBigIntegerField(default=0, help_text="Grows with every owner.")
    process = models.ForeignKey(
        Process, null=True, blank=True, on_delete=models.SET_NULL, related_name="machines"
    )
    started_by = models.CharField(max_length=63, blank=True, help_text="Machine that started it.")
    actions_dir = models.TextField(blank=True, help_text="Folder of its custom actions.")
    entered_at = models.DateTimeField(null=True, help_text="When it entered its state.")
    active_at = models.DateTimeField(null=True, help_text="When it last moved.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str | None:
        """The active state, or None before it has begun."""
        return self.states[0] if self.states else None

    @property
    def has_ended(self) -> bool:
        """True if its last host does nothing for it any more, even if it lives."""
        return self.status in self.ENDED


class EventQuerySet(models.QuerySet["Event"]):
    """Questions about events."""

    def pending(self) -> EventQuerySet:
        """Those that wait to be judged, oldest first."""
        return self.filter(status=Event.Status.PENDING).order_by("id")


class Event(models.Model):
    """An event sent to a machine: the inbox while it is pending, the audit of it ever after."""

    class Status(models.TextChoices):
        PENDING = "pending"  # accepted, not yet judged
        PROCESSED = "processed"  # a transition took it, or clear_events did
        IGNORED = "ignored"  # no transition took it
        FAILED = "failed"  # its payload breaks its schema, or its step could not be computed
        EXPIRED = "expired"  # too old for a machine never seen, or discarded on request

    key = models.CharField(max_length=200, help_text="The sender's; one of ours if none is given.")
    source = models.CharField(max_length=200, blank=True)
    target = models.CharField(max_length=63)
    type = models.CharField(max_length=200)
    payload = models.JSONField(null=True)
    job_id = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    reason = models.TextField(blank=True, help_text="Why it was not taken.")
    actor = models.CharField(max_length=200, blank=True, help_text="Who sent it.")
    created_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Event]] = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            # A key sent again is the same event.
            models.UniqueConstraint(fields=["target", "key"], name="event_key_once"),
        ]
        indexes = [
            # A host asks for the inboxes of its machines.
            models.Index(
                fields=["target", "id"],
                condition=models.Q(status="pending"),
                name="event_pending",
            ),
            # listevents and a machine's page ask for the newest of one target.
            models.Index(fields=["target", "id"], name="event_of_target"),
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.type} → {self.target}"


class Step(models.Model):
    """A step that a machine took, or a change of its status (source and target are the same)."""

    machine = models.ForeignKey(
        Machine, on_delete=models.CASCADE, related_name="steps", db_constraint=False, db_index=False
    )
    seq = models.PositiveBigIntegerField(help_text="Counts from 1 within the machine, no gaps.")
    event = models.CharField(max_length=200, blank=True, help_text="Name; empty: automatic.")
    event_row = models.ForeignKey(
        Event,
        null=True,
        on_delete=models.SET_NULL,
        related_name="steps",
        db_constraint=False,
        db_index=False,
    )
    source = models.CharField(max_length=200, null=True)  # noqa: DJ001 - null: the entry
    target = models.CharField(max_length=200)
    transition = models.PositiveIntegerField(null=True, help_text="Index in the definition.")
    guard = models.JSONField(null=True, help_text="Guards tried: [index, value] each.")
    changes = models.JSONField(
        null=True, help_text="The context's keys that changed since the step before."
    )
    status = models.CharField(
        max_length=10, blank=True, help_text="The machine's new status, if this step changed it."
    )
    definition = models.ForeignKey(
        MachineDefinition,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["machine", "seq"], name="step_seq_once"),
        ]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.machine_id}#{self.seq} {self.source} → {self.target}"


class Run(models.Model):
    """One execution of work, or a log line worth keeping."""

    class Outcome(models.TextChoices):
        RUNNING = "running"  # committed before the work starts
        DONE = "done"
        FAILED = "failed"
        STOPPED = "stopped"  # its state was left, or its host went down in order
        STALE = "stale"  # its result came after its state was left
        LOST = "lost"  # its host died under it

    machine = models.ForeignKey(
        Machine, on_delete=models.CASCADE, related_name="runs", db_constraint=False, db_index=False
    )
    seq = models.PositiveBigIntegerField(help_text="The step it belongs to.")
    index = models.PositiveIntegerField(help_text="Position among the actions of its list.")
    type = models.CharField(max_length=200)
    attempt = models.PositiveIntegerField(default=1)
    token = models.CharField(
        max_length=32, blank=True, help_text="Names the run to the work it starts."
    )
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    level = models.CharField(max_length=10, default="info")
    message = models.TextField(blank=True)
    output = models.TextField(blank=True, help_text="The last 64 KiB that it printed.")
    exit_code = models.IntegerField(null=True)
    event = models.CharField(max_length=200, blank=True, help_text="The event it returned.")
    job = models.ForeignKey(
        Job, null=True, on_delete=models.SET_NULL, related_name="runs", db_constraint=False
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # A machine's page asks for its newest lines.
            models.Index(fields=["machine", "id"], name="run_of_machine"),
        ]
        constraints = [
            # run_task's result finds its run by token; log lines have none.
            models.UniqueConstraint(
                fields=["token"], condition=~models.Q(token=""), name="run_token_once"
            ),
        ]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.type} of {self.machine_id}#{self.seq}"


class Timer(models.Model):
    """A deadline that outlives its host: of a transition, or of an action that waits."""

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="timers")
    seq = models.PositiveBigIntegerField(help_text="The step that set it.")
    name = models.CharField(max_length=200, help_text="As it stands on record: timeout(5).")
    transition = models.PositiveIntegerField(null=True, help_text="Index in the definition.")
    action = models.JSONField(null=True, help_text="Which action waits.")
    due_at = models.DateTimeField()

    class Meta:
        ordering = ["due_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} of {self.machine_id}"
