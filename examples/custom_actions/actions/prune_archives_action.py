"""Old archives make room for new ones."""

import asyncio
import glob
from pathlib import Path

from machines.actions import ActionContext, BaseAction, Raises, Setting, ValueKind


class PruneArchivesAction(BaseAction):
    """Remove the archives of a folder but the newest, and what was left unfinished."""

    settings = (
        Setting("folder", ValueKind.TEXT, "what was archived", required=True),
        Setting("archives", ValueKind.TEXT, "the folder it was written to", required=True),
        Setting("keep", ValueKind.INTEGER, "how many archives stay", default=7),
    )
    raises = (Raises("pruned", "success", "only the newest are left", usual=True),)
    sets = ("removed_archives",)

    async def execute(self, context: ActionContext) -> str:
        """Being run twice does no harm."""
        if self.config["keep"] < 1:
            raise ValueError(f"keep is {self.config['keep']}; at least 1 archive must stay")
        context["removed_archives"] = await asyncio.to_thread(self._prune)
        return "pruned"

    def _prune(self) -> list[str]:
        """The names of what was removed."""
        archives = Path(self.config["archives"])
        made_here = f"{glob.escape(Path(self.config['folder']).resolve().name)}-[0-9]*Z.tar.gz"
        # The time in their names sorts them.
        old = sorted(archives.glob(made_here))[: -self.config["keep"]]
        removed = [*old, *archives.glob(f"{made_here}.unfinished")]
        for path in removed:
            path.with_name(f"{path.name}.sha256").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            self.logger.info("removed %s", path)
        return [path.name for path in removed]
