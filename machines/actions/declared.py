"""What a custom action declares of itself, and the settings of a run checked against it."""

import copy
import inspect
from typing import Any

from machines.actions.settings import SettingError, Settings
from machines.core.errors import MachineError
from machines.core.signatures import COMMON_KEYS, Kind, Raises, Setting, Signature

# The loader keeps these for itself: they never reach an action.
TAKEN = frozenset(COMMON_KEYS) - {"success", "error", "failure", "timeout"}


class CustomActionError(MachineError):
    """A custom action that cannot be used as it is written."""


def declared(
    name: str,
    *,
    summary: str | None,
    settings: Any = (),
    raises: Any = (),
    sets: Any = (),
    origin: str,
    where: str,
) -> Signature:
    """The signature of a custom type; one that declares nothing is open.

    ``summary``: a docstring, of which the first paragraph counts. ``where`` says whose
    declarations they are if one is wrong. Raises CustomActionError.
    """
    settings = _all_of(Setting, settings, f"{where}settings")
    raises = _all_of(Raises, raises, f"{where}raises")
    sets = _all_of(str, sets, f"{where}sets")
    for setting in settings:
        _check(setting, f"{where}settings")
    return Signature(
        name,
        Kind.WORK,
        summary=" ".join(inspect.cleandoc(summary or "").partition("\n\n")[0].split()),
        settings=settings,
        raises=raises,
        sets=sets,
        open=not (settings or raises or sets),
        origin=origin,
    )


def checked(signature: Signature, settings: Settings) -> dict[str, Any]:
    """All settings of a run; those declared have their names, kinds and defaults.

    Raises SettingError for one that is missing or is not what it must be. An optional one without
    default that is left out stays out.
    """
    found = dict(settings.as_mapping())
    for setting in signature.settings:
        given = [found.pop(name, None) for name in (setting.name, *setting.aliases)]
        value = next((value for value in given if value is not None), None)
        value = _value(signature.name, setting, value)
        if value is not None:
            found[setting.name] = value
    return found


def named(signature: Signature, event: str, settings: Settings) -> str | None:
    """What the file calls the event that an action returned.

    An event that is declared with a key has the name under that key; so have ``success`` and
    ``error``, declared or not.
    """
    by_event = {raises.event: raises for raises in reversed(signature.raises)}
    by_key = {raises.key: raises for raises in reversed(signature.raises) if raises.key}
    raises = by_event.get(event) or by_key.get(event)
    if raises is not None:
        return settings.event(raises.key, raises.event) if raises.key else event
    return settings.event(event, event) if event in {"success", "error"} else event


def _value(action_type: str, setting: Setting, value: Any) -> Any:
    if value is None:
        if setting.required:
            raise SettingError(
                f"{action_type}: the setting {setting.name!r} is missing;"
                f" it must be {setting.kind.value}"
            )
        return copy.deepcopy(setting.default)
    value = Settings(action_type, {setting.name: value}).of_kind(setting.name, setting.kind)
    values = value if isinstance(value, list) else [value]
    if setting.choices and not set(setting.choices).issuperset(map(str, values)):
        raise SettingError(
            f"{action_type}: the setting {setting.name!r} is {value!r:.200};"
            f" it may be {', '.join(setting.choices)}"
        )
    return value


def _all_of(kind: type[Any], given: Any, where: str) -> tuple[Any, ...]:
    if isinstance(given, list | tuple) and all(isinstance(item, kind) for item in given):
        return tuple(given)
    example = {Setting: 'Setting("url"),', Raises: 'Raises("fetched"),', str: '"answer",'}[kind]
    raise CustomActionError(f"{where} is {given!r:.200}; it must be a tuple, such as ({example})")


def _check(setting: Setting, where: str) -> None:
    if setting.name in TAKEN:
        raise CustomActionError(
            f"{where}: {setting.name!r} means something for every action;"
            " give the setting another name"
        )
    if setting.default is not None:
        try:
            _value(f"{where}, defaults", setting, setting.default)
        except SettingError as error:
            raise CustomActionError(str(error)) from error
