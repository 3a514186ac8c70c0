"""Jobs in the admin: to find one and read it whole, to make one, to correct one that waits.

From its claim on a job belongs to whoever works on it and is only shown. Retention removes jobs.
"""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobqueue.errors import JobError
from jobqueue.models import Attempt, Job
from jobqueue.plain_json import checked_json

if TYPE_CHECKING:  # the classes of django-stubs take parameters, those of Django do not
    JobModelAdmin = admin.ModelAdmin[Job]
    JobModelForm = forms.ModelForm[Job]
    AttemptTabularInline = admin.TabularInline[Attempt, Job]
else:
    JobModelAdmin = admin.ModelAdmin
    JobModelForm = forms.ModelForm
    AttemptTabularInline = admin.TabularInline

ORDERED = ("job_type", "machine_type", "data", "priority", "run_at", "max_attempts", "unique_key")
NAMES = ("job_id", "source_job_id")
OUTCOME = (
    "status",
    "pretty_result",
    "error_message",
    "attempts",
    "claimed_by",
    "lease_expires_at",
    "finished_by",
    "created_by",
    "created_at",
    "started_at",
    "completed_at",
)


class PrettyJSON(json.JSONEncoder):
    """Indented, for a person who edits it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "indent": 2})


class JobForm(JobModelForm):
    data = forms.JSONField(  # type: ignore[assignment]  # a form's own `data` is put on instances
        encoder=PrettyJSON, required=False, initial=dict, help_text="An object of plain JSON."
    )

    def clean_data(self) -> dict[str, Any]:
        data = self.cleaned_data["data"]
        if data is None:
            return {}
        if not isinstance(data, dict):
            raise forms.ValidationError('It may be an object, such as {"key": "value"}.')
        try:
            checked_json(data, "data")
        except JobError as error:
            raise forms.ValidationError(str(error)) from error
        return data


class AttemptInline(AttemptTabularInline):
    model = Attempt
    fields = readonly_fields = (
        "number",
        "claimed_by",
        "started_at",
        "ended_at",
        "outcome",
        "error",
    )
    ordering = ("number",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(JobModelAdmin):
    form = JobForm
    inlines = (AttemptInline,)
    list_display = (
        "job_id",
        "job_type",
        "machine_type",
        "status",
        "priority",
        "attempts",
        "claimed_by",
        "created_at",
    )
    list_filter = ("status", "priority", "created_at")
    # Beginnings and whole words: a search inside every text would read the whole table.
    search_fields = ("job_id__startswith", "job_type__exact", "source_job_id__exact")
    search_help_text = "The beginning of a job id, a job type, or the id of the job it came from"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    actions = None

    def get_fieldsets(self, request: HttpRequest, obj: Job | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": [*NAMES, *ORDERED]})]
        shown = ORDERED if self.has_change_permission(request, obj) else _with_pretty_data()
        return [(None, {"fields": [*NAMES, *shown]}), ("What came of it", {"fields": OUTCOME})]

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> Any:
        return () if obj is None else (*NAMES, *OUTCOME, "pretty_data")

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.status == Job.Status.PENDING)

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Job, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user.get_username()
            obj.save(force_insert=True)
            obj.announce_ready()
        elif not self._correct(obj, form.changed_data):
            messages.error(request, f"Nothing saved: {obj.job_id!r} was claimed in the meantime.")

    def _correct(self, job: Job, columns: list[str]) -> bool:
        """Save ``columns`` of a job that still waits; whether it does."""
        changes = {column: getattr(job, column) for column in columns}
        waiting = Job.objects.filter(pk=job.pk, status=Job.Status.PENDING)
        if changes and not waiting.update(**changes):
            return False
        job.announce_ready()
        return True

    @admin.display(description="data")
    def pretty_data(self, job: Job) -> SafeString:
        return _pretty(job.data)

    @admin.display(description="result")
    def pretty_result(self, job: Job) -> SafeString:
        return _pretty(job.result)


def _with_pretty_data() -> tuple[str, ...]:
    return tuple("pretty_data" if column == "data" else column for column in ORDERED)


def _pretty(value: Any) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False))
