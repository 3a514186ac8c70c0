"""Tags for times, durations and statuses; the scripts keep them up to date by their attributes."""

from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from monitor import words

register = template.Library()


@register.simple_tag
def since(moment: datetime | None, now: datetime) -> SafeString | str:
    """How long ago ``moment`` was, counting on; the absolute time in the title."""
    if moment is None:
        return "—"
    iso = moment.isoformat()
    text = words.span(now - moment)
    return format_html('<time datetime="{0}" data-since="{0}" title="{0}">{1}</time>', iso, text)


@register.simple_tag
def until(moment: datetime, now: datetime) -> SafeString:
    """How long it is to ``moment``, counting down."""
    iso = moment.isoformat()
    text = words.span(moment - now)
    return format_html('<time datetime="{0}" data-until="{0}" title="{0}">{1}</time>', iso, text)


@register.filter
def span(duration: timedelta | None) -> str:
    """``3 min 12 s``; a dash for None."""
    return "—" if duration is None else words.span(duration)


@register.filter
def plain(output: str) -> str:
    """What a command printed, without the codes that colour a terminal."""
    return words.plain(output)


@register.inclusion_tag("monitor/_badge.html")
def badge(status: str) -> dict[str, str]:
    """A status as colour, sign and word."""
    return {"status": status, "sign": words.SIGNS.get(status, "")}
