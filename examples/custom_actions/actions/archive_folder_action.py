"""A folder becomes a compressed archive with its checksum beside it."""

import asyncio
import hashlib
import tarfile
from datetime import UTC, datetime
from pathlib import Path

from machines.actions import ActionContext, BaseAction, Raises, Setting, ValueKind

PROGRESS_FILES = 100  # a line in the log after so many


class ArchiveFolderAction(BaseAction):
    """Write a folder into a new .tar.gz file, with its SHA-256 beside it."""

    settings = (
        Setting("folder", ValueKind.TEXT, "what is archived", required=True),
        Setting("archives", ValueKind.TEXT, "the folder it is written to", required=True),
        Setting(
            "store_as",
            ValueKind.KEY,
            "where its path, files, bytes and sha256 are kept",
            default="archive",
            writes=True,
        ),
    )
    raises = (Raises("archived", "success", "the archive is written", usual=True),)

    async def execute(self, context: ActionContext) -> str:
        """Being run twice leaves two archives and no half one."""
        folder, archives = Path(self.config["folder"]), Path(self.config["archives"])
        # In a thread, as it would hold up all machines of the host.
        context[self.config["store_as"]] = await asyncio.to_thread(self._archive, folder, archives)
        return "archived"

    def _archive(self, folder: Path, archives: Path) -> dict[str, str | int]:
        if not folder.is_dir():
            raise NotADirectoryError(f"{str(folder)!r} is no folder")
        archives.mkdir(parents=True, exist_ok=True)
        name = f"{folder.resolve().name}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.tar.gz"
        target, unfinished = archives / name, archives / f"{name}.unfinished"
        files = self._write(folder, unfinished)
        with unfinished.open("rb") as written:
            sha256 = hashlib.file_digest(written, "sha256").hexdigest()
        size = unfinished.stat().st_size
        target.with_name(f"{name}.sha256").write_text(f"{sha256}  {name}\n")
        unfinished.replace(target)
        return {"path": str(target), "files": files, "bytes": size, "sha256": sha256}

    def _write(self, folder: Path, target: Path) -> int:
        """Write the archive; how many files are in it. Archives are not archived again."""
        root, archives = folder.resolve(), target.parent.resolve()
        found = sorted(
            path for path in root.rglob("*") if path.is_file() and not path.is_relative_to(archives)
        )
        with tarfile.open(target, "w:gz") as archive:
            for number, path in enumerate(found, start=1):
                archive.add(path, path.relative_to(root.parent))
                if number % PROGRESS_FILES == 0:
                    self.logger.info("%s: %d of %d files", target.stem, number, len(found))
        return len(found)
