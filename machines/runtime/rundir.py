"""The run directory: where sockets, bells and locks of this computer's processes live."""

import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings

MAX_SOCKET_PATH_BYTES = 107  # sun_path of Linux is 108 bytes, its NUL included
LONGEST_SOCKET_NAME = len("M" * 63 + ".sock")  # a machine's


def run_dir() -> Path:
    """The directory, made if it is missing, for this user alone.

    ``SM_RUN_DIR`` if that is set; else ``run`` beside the database; else, where a socket's path
    would not fit there, a directory in the system's temporary one, named by the database.

    Raises PermissionError if it belongs to another user.
    """
    chosen = Path(settings.SM_RUN_DIR) if settings.SM_RUN_DIR else settings.STATE_DIR / "run"
    path = chosen.absolute()
    if len(os.fsencode(path)) + 1 + LONGEST_SOCKET_NAME > MAX_SOCKET_PATH_BYTES:
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"sm-{os.getuid()}-{digest}"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    if status.st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to user {status.st_uid}, not to us ({os.getuid()})")
    if status.st_mode & 0o077:
        path.chmod(0o700)
    return path
