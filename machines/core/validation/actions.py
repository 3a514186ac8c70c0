"""Actions: their types, and the settings that each type takes."""

from collections.abc import Iterable
from typing import Any

from machines.core.interpolation import placeholders
from machines.core.loading.faults import shown
from machines.core.signatures import COMMON_KEYS, Setting, Signature, ValueKind
from machines.core.validation import codes
from machines.core.validation.facts import Facts, Site, is_custom
from machines.core.validation.kinds import fits
from machines.core.validation.problems import Findings


def check_actions(facts: Facts, findings: Findings) -> None:
    """Unknown types, wrong settings, and what has no effect or is never performed."""
    for sites in facts.lists:
        _check_order(facts, sites, findings)
        for site in sites:
            if site.signature is None:
                _check_type(facts, site, findings)
            else:
                _check_settings(site, site.signature, findings)
                _check_effect(site, site.signature, findings)


def _check_type(facts: Facts, site: Site, findings: Findings) -> None:
    owner = site.where.rpartition(": ")[0]
    near = findings.near(site.action.type, facts.signatures)
    findings.add(
        codes.UNKNOWN_ACTION,
        site.action.place,
        f"{owner}: no action type {shown(site.action.type)}{near}",
    )


def _check_settings(site: Site, signature: Signature, findings: Findings) -> None:
    given = site.action.settings
    for setting in signature.settings:
        names = (setting.name, *setting.aliases)
        name = next((name for name in names if given.get(name) is not None), None)
        if name is not None:
            _check_value(site, name, given[name], setting, findings)
        if setting.required and (name is None or given[name] == ""):
            state = "is missing" if name is None else "is empty"
            findings.add(
                codes.MISSING_SETTING,
                site.action.place,
                f"{site.where}: the setting {setting.name!r} {state}",
                hint=f"Add {setting.name}: {setting.description or setting.kind.value}.",
            )
    _check_events(site, signature, findings)
    if not signature.open and (signature.settings or not is_custom(signature)):
        _check_names(site, signature, findings)
    if (
        site.takes("argv")
        and site.takes("command")
        and given.get("command") is None
        and given.get("argv") is None
    ):
        findings.add(
            codes.MISSING_SETTING,
            site.action.place,
            f"{site.where}: the setting 'command' is missing",
            hint="Add command: with what the shell is to run, or argv: with a program.",
        )


def _check_events(site: Site, signature: Signature, findings: Findings) -> None:
    """The keys that name events, where they are no settings of the type."""
    for key in dict.fromkeys(("failure", *(raises.key for raises in signature.all_raises()))):
        value = site.action.settings.get(key)
        if value is not None and signature.setting(key) is None:
            _check_value(site, key, value, Setting(key, ValueKind.EVENT), findings)


def _check_value(site: Site, name: str, value: Any, setting: Setting, findings: Findings) -> None:
    if not fits(setting.kind, value):
        findings.add(
            codes.WRONG_SETTING,
            site.action.place,
            f"{site.where}: {name} is {_described(value)}; it must be {setting.kind.value}",
        )
    elif setting.choices and not _is_chosen(value, setting.choices):
        near = findings.near(str(value), setting.choices)
        findings.add(
            codes.UNKNOWN_CHOICE,
            site.action.place,
            f"{site.where}: {name} is {_described(value)};"
            f" it may be {', '.join(setting.choices)}{near}",
        )


def _described(value: Any) -> str:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return "a list" if isinstance(value, list) else "a mapping"


def _is_chosen(value: Any, choices: Iterable[str]) -> bool:
    text = str(value).lower()
    return bool(placeholders(value)) or any(text == choice.lower() for choice in choices)


def _check_names(site: Site, signature: Signature, findings: Findings) -> None:
    known = {*COMMON_KEYS, *(raises.key for raises in signature.raises)}
    for name in site.action.settings:
        if name not in known and signature.setting(name) is None:
            near = findings.near(name, _setting_names(signature))
            findings.add(
                codes.UNKNOWN_SETTING,
                site.action.place,
                f"{site.where}: no setting {shown(name)}{near}",
            )


def _setting_names(signature: Signature) -> list[str]:
    return [name for s in signature.settings for name in (s.name, *s.aliases)]


def _check_effect(site: Site, signature: Signature, findings: Findings) -> None:
    if site.action.retry is not None and not signature.can_fail:
        findings.add(
            codes.RETRY_WITHOUT_EFFECT,
            site.action.place,
            f"{site.where}: retry: it cannot fail",
        )
    if site.action.every_seconds is not None and site.transition is not None:
        findings.add(
            codes.REPETITION_WITHOUT_EFFECT,
            site.action.place,
            f"{site.where}: every: an action of a transition does not repeat",
        )


def _check_order(facts: Facts, sites: Iterable[Site], findings: Findings) -> None:
    """Tell of the first action after one that ends the round."""
    before: Site | None = None
    for site in sites:
        if before is not None:
            findings.add(
                codes.UNREACHABLE_ACTION,
                site.action.place,
                f"{site.where}: never performed; {shown(before.action.type)} in line"
                f" {before.action.place.line} ends the round",
            )
            return
        if _ends_round(site):
            before = site


def _ends_round(site: Site) -> bool:
    if site.signature is None or not site.signature.ends:
        return False
    given = site.action.settings
    # stop_machine with the name of another machine lets its own go on.
    return given.get("target_machine") is None and given.get("target") is None
