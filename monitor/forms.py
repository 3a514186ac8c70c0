"""The form that sends an event."""

from typing import Any

import orjson
from django import forms

MAX_PAYLOAD_BYTES = 256 * 1024  # what an inbox accepts
EXAMPLE = '{"user": "ada"}'


class EventForm(forms.Form):
    """An event for one machine: picked from those it handles, or named freely."""

    pick = forms.CharField(required=False, max_length=200)
    type = forms.CharField(
        label="Event",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "events", "autocomplete": "off"}),
    )
    payload = forms.CharField(
        label="Payload",
        required=False,
        help_text="JSON; may be empty.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": EXAMPLE}),
    )
    job_id = forms.CharField(label="Job", required=False, max_length=200)

    def clean_payload(self) -> Any:
        """The payload as JSON, None if there is none."""
        text: str = self.cleaned_data["payload"].strip()
        if not text:
            return None
        if len(text.encode()) > MAX_PAYLOAD_BYTES:
            raise forms.ValidationError("This payload is too large: an inbox takes 256 KiB.")
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as fault:
            raise forms.ValidationError(
                f"This is no JSON: {fault}. A payload looks like {EXAMPLE}."
            ) from fault

    def clean(self) -> dict[str, Any]:
        """Put the event that was meant under ``type``."""
        cleaned = super().clean() or self.cleaned_data
        cleaned["type"] = cleaned.get("pick") or cleaned.get("type") or ""
        if not cleaned["type"] and "type" not in self.errors:
            self.add_error("type", "Name the event to send, such as one that the state handles.")
        return cleaned
