"""A round of an idle machine that may turn out to have found nothing again, and then never was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction

if TYPE_CHECKING:
    from machines.runtime.group import Group
    from machines.runtime.live import Live


class QuietRound:
    """Remembers how things stood before the round, so that a repetition writes nothing."""

    def __init__(self, group: Group, live: Live) -> None:
        self._group = group
        self._live = live
        self._snapshot = replace(live.snapshot, turn=replace(live.snapshot.turn, again=False))
        # What came before is written first, and that the round was asked for is not: all that is
        # collected from here on is this round's.
        live.snapshot = self._snapshot
        group.mark(live)
        group.flush()
        self._savepoint = transaction.savepoint()
        self._seq = live.seq
        self._active_at = live.active_at
        self._saved_row = live.saved_row
        self._deadlines = live.deadlines.copy()
        self._after = group.after.copy()
        group.left_traces = False

    def forget(self) -> bool:
        """Undo the round if it left nothing behind but its own steps; say whether it was undone."""
        group, live = self._group, self._live
        stayed = live.snapshot.turn.quiet  # an entry begins anew with what is on record
        changed = live.snapshot.context is not self._snapshot.context
        if group.left_traces or changed or not stayed:
            return False
        transaction.savepoint_rollback(self._savepoint)
        group.rows.forget()
        group.after = self._after
        live.snapshot, live.seq, live.saved_seq = self._snapshot, self._seq, self._seq
        live.active_at = self._active_at
        live.saved_row = self._saved_row
        live.deadlines = self._deadlines
        return True

    def keep(self) -> None:
        """The round stands."""
        self._group.mark(self._live)
        self._group.flush()
        transaction.savepoint_commit(self._savepoint)
