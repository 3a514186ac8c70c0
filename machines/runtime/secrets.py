"""Secrets: values of ``{secret.NAME}``, handed to work and to nothing else.

They come from the file that SM_SECRETS_FILE names, else from environment variables
SM_SECRET_NAME. They are read when they are needed and are never stored: what work gives back is
masked before anybody sees it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from machines.core.errors import MachineError
from machines.core.interpolation import placeholders

PREFIX = "SM_SECRET_"  # of an environment variable; what follows is the name
MASK = "***"
_HIDDEN = re.compile("\0+")
SHORTEST_MASKED = 4  # characters; masking every "a" would leave nothing to read


class SecretsError(MachineError):
    """The file of secrets cannot be read."""


class Secrets(Mapping[str, str]):
    """The secrets there are, by name. Prints as nothing but their names."""

    __slots__ = ("_masked", "_values")

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        shapes = {shape for value in self._values.values() for shape in _shapes(value)}
        # The longest first: one secret may hold another.
        self._masked = sorted(shapes, key=len, reverse=True)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._values)})"

    @property
    def longest(self) -> int:
        """Characters of the longest text that is masked; 0 without secrets."""
        return len(self._masked[0]) if self._masked else 0

    def check(self, settings: Mapping[str, Any]) -> None:
        """Raise SecretsError if ``settings`` ask for a secret that is not there."""
        for found in placeholders(settings):
            if found.root == "secret" and not (len(found.path) == 2 and found.path[1] in self):
                raise SecretsError(
                    f"there is no secret {found.text}; set {PREFIX}{'_'.join(found.path[1:])}, or"
                    " write it into the file that SM_SECRETS_FILE names"
                )

    def mask(self, text: str, *, cut: bool = False) -> str:
        """``text`` with every secret in it replaced, also as JSON would write it.

        ``cut``: something stood before it, so it may begin within a secret; so much is left out.
        """
        for shape in self._masked:
            if shape in text:
                # NUL stands for it until the beginning is off: texts that are masked have none.
                text = text.replace(shape, "\0" * len(shape))
        return _HIDDEN.sub(MASK, text[self.longest :] if cut else text)

    def mask_all(self, value: object) -> object:
        """``value`` with every text in it masked, keys too."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {self.mask_all(key): self.mask_all(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_all(item) for item in value]
        return value


def load() -> Secrets:
    """The secrets of this process. Raises SecretsError if there is a file and it cannot be used."""
    if settings.SM_SECRETS_FILE:
        return Secrets(_read(Path(settings.SM_SECRETS_FILE)))
    return Secrets(
        {key.removeprefix(PREFIX): value for key, value in os.environ.items() if _is_one(key)}
    )


def _is_one(key: str) -> bool:
    return key.startswith(PREFIX) and key != PREFIX


def _read(path: Path) -> dict[str, str]:
    """Lines of ``NAME=value``; empty ones and those that begin with # are passed over."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretsError(f"SM_SECRETS_FILE: {path} cannot be read: {error}") from error
    if mode & 0o077:
        raise SecretsError(
            f"SM_SECRETS_FILE: {path} can be read by others; make it yours alone: chmod 600 {path}"
        )
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SecretsError(f"SM_SECRETS_FILE: {path}:{number}: write NAME=value")
        found[name.strip()] = value.strip()
    return found


def _shapes(value: str) -> Iterator[str]:
    """How a value may appear: as it is, inside JSON, line by line."""
    as_json = (json.dumps(value, ensure_ascii=only)[1:-1] for only in (True, False))
    for shape in (value, *as_json, *value.splitlines()):
        if len(shape.strip()) >= SHORTEST_MASKED:
            yield shape.strip()
