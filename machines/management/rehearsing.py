"""Arguments of the commands that try machines: files that exist, and lengths of time."""

import argparse
import math
from pathlib import Path

from jobqueue.console import unknown

from machines.core.loading.scalars import parse_duration


def existing_file(path: Path) -> Path:
    """The path, if it leads to a file; else CommandError with exit code 3."""
    if not path.is_file():
        raise _no_such("file", path)
    return path


def existing_path(path: Path) -> Path:
    """The path, if it leads to a file or folder; else CommandError with exit code 3."""
    if not path.exists():
        raise _no_such("file or folder", path)
    return path


def seconds_argument(text: str) -> float:
    """An argument that is a length of time: ``5s``, ``10m`` or a number of seconds."""
    seconds = parse_duration(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it like 90, 5s or 10m")
    return seconds


def percent_argument(text: str) -> float:
    """An argument that is a share from 0 to 100."""
    try:
        percent = float(text)
    except ValueError:
        percent = math.nan
    if not 0 <= percent <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 to 100")
    return percent


def _no_such(kind: str, path: Path) -> Exception:
    folder = path.parent
    beside = [str(one) for one in sorted(folder.iterdir())] if folder.is_dir() else []
    return unknown(kind, str(path), beside, hint=f"the folder is {folder.absolute()}")
