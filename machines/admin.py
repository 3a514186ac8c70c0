"""Machines in the admin: to find a row and read it whole. Hosts write them, nobody by hand.

Definitions are immutable; one that nothing refers to may be deleted.
"""

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from machines.models import Event, Machine, MachineDefinition, Process, Run, Step, Timer

if TYPE_CHECKING:  # the class of django-stubs takes a parameter, that of Django does not
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    """Rows are shown, never written."""

    list_per_page = 50
    show_full_result_count = False
    actions = None
    unread: tuple[str, ...] = ()  # large columns that a list does not show

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*self.unread)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(MachineDefinition)
class MachineDefinitionAdmin(ReadOnlyAdmin):
    list_display = ("name", "version", "template", "machines", "origin", "created_at")
    list_filter = ("template",)
    search_fields = ("name__startswith",)
    search_help_text = "The beginning of a name"
    ordering = ("name", "-version")
    fields = (
        "name",
        "version",
        "versions",
        "template",
        "origin",
        "sha256",
        "created_at",
        "text",
    )
    unread = ("source",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        definitions: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = definitions.annotate(machine_count=Count("machines"))
        return counted

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = ModelAdmin.has_delete_permission(self, request, obj)
        return allowed and obj is not None and not _used(obj)

    @admin.display(ordering="machine_count")
    def machines(self, definition: Any) -> int:
        return int(definition.machine_count)

    @admin.display(description="all versions")
    def versions(self, definition: MachineDefinition) -> SafeString:
        named = MachineDefinition.objects.filter(name=definition.name).order_by("-version")
        url = "admin:machines_machinedefinition_change"
        links = [
            (reverse(url, args=[pk]), version) for pk, version in named.values_list("pk", "version")
        ]
        return format_html_join(" ", '<a href="{}">v{}</a>', links)

    @admin.display(description="source")
    def text(self, definition: MachineDefinition) -> SafeString:
        return format_html("<pre>{}</pre>", definition.source)


@admin.register(Machine)
class MachineAdmin(ReadOnlyAdmin):
    list_display = ("name", "definition", "state", "status", "process", "active_at")
    list_filter = ("status",)
    list_select_related = ("definition", "process")
    search_fields = ("name__startswith", "definition__name__exact")
    search_help_text = "The beginning of a name, or the name of a definition"
    ordering = ("name",)
    fields = (
        "name",
        "definition",
        "status",
        "fault",
        "state",
        "pretty_context",
        "pretty_turn",
        "last_event",
        "job",
        "wanted",
        "seq",
        "epoch",
        "process",
        "started_by",
        "actions_dir",
        "entered_at",
        "active_at",
        "created_at",
    )
    unread = ("context", "turn", "definition__source")

    @admin.display(description="context")
    def pretty_context(self, machine: Machine) -> SafeString:
        return _pretty(machine.context)

    @admin.display(description="turn")
    def pretty_turn(self, machine: Machine) -> SafeString:
        return _pretty(machine.turn)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "target",
        "type",
        "source",
        "job_id",
        "status",
        "created_at",
        "processed_at",
    )
    list_display_links = ("id", "type")
    list_filter = ("status",)
    # Whole words: a search inside every text would read the whole table.
    search_fields = ("target__exact", "type__exact", "job_id__exact")
    search_help_text = "A target, a type or a job id"
    ordering = ("-id",)
    fields = (
        "target",
        "type",
        "pretty_payload",
        "source",
        "job_id",
        "status",
        "reason",
        "key",
        "actor",
        "created_at",
        "processed_at",
    )
    unread = ("payload",)

    @admin.display(description="payload")
    def pretty_payload(self, event: Event) -> SafeString:
        return _pretty(event.payload)


class NewStatusFilter(admin.SimpleListFilter):
    """Steps that changed their machine's status.

    The choices are known: Django would read the whole table for those of a plain column.
    """

    title = "new status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Machine.Status.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    list_display = ("id", "machine", "seq", "event", "source", "target", "status", "at")
    list_filter = (NewStatusFilter,)
    list_select_related = ("machine",)
    search_fields = ("machine__name__exact", "event__exact")
    search_help_text = "A machine or an event"
    ordering = ("-id",)
    fields = (
        "machine",
        "seq",
        "event",
        "event_row",
        "source",
        "target",
        "transition",
        "pretty_guard",
        "pretty_changes",
        "status",
        "definition",
        "at",
    )
    unread = ("changes", "machine__context", "machine__turn")

    @admin.display(description="guard")
    def pretty_guard(self, step: Step) -> SafeString:
        return _pretty(step.guard)

    @admin.display(description="changes")
    def pretty_changes(self, step: Step) -> SafeString:
        return _pretty(step.changes)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("id", "machine", "seq", "type", "attempt", "outcome", "level", "started_at")
    list_filter = ("outcome",)
    list_select_related = ("machine",)
    search_fields = ("machine__name__exact", "type__exact")
    search_help_text = "A machine or a type of action"
    ordering = ("-id",)
    fields = (
        "machine",
        "seq",
        "index",
        "type",
        "attempt",
        "outcome",
        "level",
        "message",
        "printed",
        "exit_code",
        "event",
        "job",
        "started_at",
        "ended_at",
    )
    unread = ("output", "machine__context", "machine__turn")

    @admin.display(description="output")
    def printed(self, run: Run) -> SafeString:
        return format_html("<pre>{}</pre>", run.output)


@admin.register(Timer)
class TimerAdmin(ReadOnlyAdmin):
    list_display = ("id", "machine", "seq", "name", "due_at")
    list_select_related = ("machine",)
    search_fields = ("machine__name__exact",)
    search_help_text = "A machine"
    ordering = ("due_at", "id")
    fields = ("machine", "seq", "name", "transition", "action", "due_at")
    unread = ("machine__context", "machine__turn")


@admin.register(Process)
class ProcessAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "host", "pid", "version", "started_at", "heartbeat_at")
    list_filter = ("kind",)
    search_fields = ("host__startswith", "pid__exact")
    search_help_text = "The beginning of a computer's name, or a pid"
    ordering = ("-heartbeat_at",)
    fields = ("kind", "host", "pid", "socket_path", "version", "started_at", "heartbeat_at")


def _used(definition: MachineDefinition) -> bool:
    """True if a machine has the version, or a step was taken by it."""
    if definition.machines.exists():
        return True
    return Step.objects.filter(definition=definition).exists()


def _pretty(value: Any) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False))
