"""Machine definitions in the database: made from files, found by name, compiled when run."""

from __future__ import annotations

import difflib
import functools
import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from machines.core.definition import Definition
from machines.core.errors import DefinitionError, Fault, MachineError
from machines.core.loading import load
from machines.models import Machine, MachineDefinition

logger = logging.getLogger("machines.runtime")

TESTS_SUFFIX = ".tests.yaml"  # tests stand beside a machine and are none


class Unknown(MachineError):  # noqa: N818 - reads as what happened
    """There is no file, machine or definition of that name."""


class NameTaken(MachineError):  # noqa: N818 - reads as what happened
    """The name of a definition belongs to a file from elsewhere."""


def read_file(path: Path) -> tuple[str, Definition]:
    """The text of a file and what it means. Raises DefinitionError, also if it cannot be read."""
    origin = _shown(path)
    try:
        source = path.read_bytes()
    except OSError as error:
        fault = Fault(1, 1, f"the file cannot be read: {error.strerror}")
        raise DefinitionError(origin, [fault]) from error
    try:
        text = source.decode()
    except UnicodeDecodeError:
        load(source, origin=origin)  # says where
        raise
    return text, _loaded(text, origin)


def compiled(record: MachineDefinition) -> Definition:
    """What a definition on record means."""
    return _loaded(record.source, record.origin or record.name)


@functools.lru_cache(maxsize=64)
def _loaded(source: str, origin: str) -> Definition:
    # A thousand instances of a template share one definition.
    return load(source, origin=origin)


def name_for(definition: Definition, path: Path) -> str:
    """The name that a file's definition has by itself."""
    return str(definition.metadata.get("machine_name") or path.stem)


def register(path: Path, *, name: str | None = None) -> MachineDefinition:
    """Put a file on record: the same content is the same version, another the next one.

    ``name`` is the definition's, if the file's own is not to be used. Raises DefinitionError, or
    NameTaken if a file from elsewhere has the name and none was given.
    """
    source, definition = read_file(path)
    chosen = name or name_for(definition, path)
    origin = str(path.resolve())
    digest = hashlib.sha256(source.encode()).hexdigest()
    with transaction.atomic():
        versions = MachineDefinition.objects.filter(name=chosen)
        newest = versions.order_by("-version").first()
        if newest is not None and name is None and newest.origin not in {"", origin}:
            raise NameTaken(
                f"a definition {chosen!r} exists already, from {newest.origin}; to run"
                f" {_shown(path)} beside it, give it a name of its own with --definition NAME"
            )
        found = versions.filter(sha256=digest).first()
        if found is not None:
            return found
        last = versions.aggregate(Max("version"))["version__max"] or 0
        return MachineDefinition.objects.create(
            name=chosen,
            version=last + 1,
            sha256=digest,
            source=source,
            origin=origin,
            template=definition.template,
        )


def register_examples() -> None:
    """Put the project's examples on record, so that they can be run by name.

    One that is edited just now and does not load is passed over: ``runmachine`` says why.
    """
    for path in sorted(Path(settings.SM_EXAMPLES_DIR).glob("**/config/*.yaml")):
        if path.name.endswith(TESTS_SUFFIX):
            continue
        try:
            register(path)
        except MachineError as error:
            logger.warning("the example %s is not registered: %s", path.name, error)


def find(name: str) -> tuple[Machine | None, MachineDefinition]:
    """What ``runmachine NAME`` means: a machine, a definition, or a file's stem.

    The newest version is given. Raises Unknown, with what might have been meant.
    """
    machine = Machine.objects.select_related("definition").filter(name=name).first()
    if machine is not None:
        return machine, newest_of(machine.definition)
    named = MachineDefinition.objects.filter(name=name).order_by("-version").first()
    if named is not None:
        return None, newest_of(named)
    by_stem = {
        record.name: record
        for record in MachineDefinition.objects.order_by("version")
        if record.origin and Path(record.origin).stem == name
    }
    if len(by_stem) == 1:
        return None, newest_of(next(iter(by_stem.values())))
    if by_stem:
        raise Unknown(
            f"{name!r} may be {', '.join(sorted(by_stem))}; name one of these definitions"
        )
    raise Unknown(f"no file, machine or definition {name!r}{did_you_mean(name, known_names())}")


def newest_of(record: MachineDefinition) -> MachineDefinition:
    """The newest version of a definition: that of its file, if the file is still there."""
    path = Path(record.origin) if record.origin else None
    if path is not None and path.is_file():
        return register(path, name=record.name)
    return MachineDefinition.objects.filter(name=record.name).order_by("-version")[0]


def known_names() -> list[str]:
    """Every name that can be run."""
    names = set(Machine.objects.values_list("name", flat=True))
    for name, origin in MachineDefinition.objects.values_list("name", "origin"):
        names |= {name, Path(origin).stem} if origin else {name}
    return sorted(names)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'worker'?``, or nothing if nothing is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
