"""Names: placeholders and guards that read what nobody sets."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from machines.core.interpolation import Part, Placeholder, parse
from machines.core.loading.faults import shown
from machines.core.signatures import ERROR_KEYS
from machines.core.validation import codes
from machines.core.validation.bash import is_code_of_its_own
from machines.core.validation.facts import Facts, Site, holds_placeholder
from machines.core.validation.problems import Findings

MAX_NAMES = 50  # of one action that are told of

ENGINE_NAMES = frozenset({"machine_name", "current_state", "event_data", "secret"})
JOB_NAMES = frozenset({"id", "job_id", "job_type", "source_job_id", "current_job"})
GUARD_NAMES = frozenset({"payload", "event"})
_FOREIGN = re.compile(r"[%@#\\&~]$|\\[A-Za-z]{1,20}$")  # before braces of other languages


def check_names(facts: Facts, findings: Findings) -> None:
    """Placeholders and guard names that nothing sets, if that can be known."""
    known = _known_names(facts)
    if known is None:
        return
    for site in facts.sites:
        _check_placeholders(site, known, findings)
    for transition in facts.definition.transitions:
        for name in transition.guard.names if transition.guard else ():
            if name not in known and name not in GUARD_NAMES:
                near = findings.near(name, known)
                findings.add(
                    codes.UNSET_GUARD_NAME,
                    transition.place,
                    f"transitions[{transition.index}].guard: nothing sets {shown(name)}{near}",
                )


def _known_names(facts: Facts) -> Collection[str] | None:
    """All names that may have a value; None if that may be any name."""
    starters = facts.starters()
    if facts.own.may_hold_job and not (facts.definition.template and starters):
        return None
    if any(_sets_any(site) for site in facts.sites):
        return None
    # The job of a starter comes along, and its data may hold any key.
    if any(peer.may_hold_job for peer in starters):
        return None
    definition = facts.definition
    handed = {name for peer in starters for name in peer.handed_to(facts.own)}
    if any(map(holds_placeholder, handed)):
        return None
    names = {*ENGINE_NAMES, *JOB_NAMES, *ERROR_KEYS, *definition.context, *handed}
    for event in definition.events.values():
        names.update(event.context_map)
    for site in facts.sites:
        names.update(_set_by(site))
    return dict.fromkeys(sorted(names))


def _sets_any(site: Site) -> bool:
    """True if an action may set, or bring, a name that is not known here."""
    if site.may_set_any or (site.signature is not None and site.signature.claims):
        return True
    return any(holds_placeholder(key) for key in _set_by(site))


def _set_by(site: Site) -> Iterator[str]:
    """The keys that settings of an action name, or that they name by themselves."""
    if site.signature is not None:
        yield from site.signature.writes(site.action)
    for name in ("store_as", "store_pid"):
        if isinstance(site.action.settings.get(name), str):
            yield site.action.settings[name]


def _check_placeholders(site: Site, known: Collection[str], findings: Findings) -> None:
    told: set[str] = set()
    if findings.full(codes.UNSET_PLACEHOLDER) or is_code_of_its_own(site.action):
        return
    for placeholder in _judged(site.action.settings):
        name = placeholder.root
        if name in known or name in told or _has_fallback(placeholder):
            continue
        told.add(name)
        if len(told) > MAX_NAMES:
            return
        near = findings.near(name, known)
        instead = ""
        if name in GUARD_NAMES:
            near, instead = "", "payload and event are for guards; write {event_data.payload.…}."
        findings.add(
            codes.UNSET_PLACEHOLDER,
            site.action.place,
            f"{site.where}: {shown(placeholder.text)}: nothing sets {shown(name)}{near}",
            hint=instead,
        )


def _has_fallback(placeholder: Placeholder) -> bool:
    return any(step.name in ("default", "or") for step in placeholder.filters)


def _judged(value: Any) -> Iterator[Placeholder]:
    """The placeholders of a value, but for those inside other braces: code of some language."""
    if isinstance(value, str):
        yield from _judged_of_text(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _judged(item)
    elif isinstance(value, list):
        for item in value:
            yield from _judged(item)


def _judged_of_text(text: str) -> Iterator[Placeholder]:
    if "{" not in text or "xargs" in text or "parallel" in text:
        return
    parts = ("", *parse(text), "")
    for before, part, after in zip(parts, parts[1:], parts[2:], strict=False):
        if isinstance(part, Placeholder) and not _is_foreign(before, after):
            yield part


def _is_foreign(before: Part, after: Part) -> bool:
    """True for braces of others: ``%{http_code}``, ``@{u}``, ``\\textbf{so}``, ``{user{name}}``."""
    if isinstance(after, str) and after.lstrip().startswith("}"):
        return True
    return isinstance(before, str) and _FOREIGN.search(before) is not None
