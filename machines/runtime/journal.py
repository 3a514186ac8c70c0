"""The journal: one thread that commits whatever waits, in one transaction, and then answers all.

It is the only writer of the machines of its host. Requests that arrive while a transaction is
being committed form the next one, so the busier a host is, the more each commit carries. There is
no linger: the first request of an idle host is committed at once.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any

from django.db import DatabaseError, OperationalError, connection, transaction

from machines.core.snapshot import Deadline
from machines.models import Machine
from machines.runtime import intake, lifecycle, resume
from machines.runtime.clock import Clock
from machines.runtime.dialects import Dialect, dialect_of, sleep_before_retry
from machines.runtime.group import Group
from machines.runtime.live import Ended, Live
from machines.runtime.requests import (
    After,
    Control,
    Due,
    Enter,
    Look,
    Play,
    Printed,
    Request,
    Submit,
)
from machines.runtime.rows import Contested, Fenced
from machines.runtime.turns import play_all

logger = logging.getLogger("machines.runtime")

MAX_GROUP = 2_048  # requests of one transaction; more would hold the others up
GIVE_UP_SECONDS = 20  # senders hear `busy` when the database was locked for so long
BUSY_TIMEOUT_MS = 5_000  # SQLite's, of one attempt


class Journal:
    """Owns the memory of the machines of a host, and the connection that writes them."""

    def __init__(
        self,
        process_id: int,
        clock: Clock,
        deliver: Callable[[After], object],
        secrets: Mapping[str, str],
    ) -> None:
        """``deliver`` is called from the journal's thread after each commit."""
        self._process_id = process_id
        self._clock = clock
        self._deliver = deliver
        self._secrets = secrets
        self._requests: SimpleQueue[Request | None] = SimpleQueue()
        self._again: deque[Request] = deque()
        self._machines: dict[str, Live] = {}
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def put(self, request: Request) -> None:
        """Ask for something; safe from any thread."""
        self._requests.put(request)

    def stop(self) -> None:
        """Finish what waits, and end; call it from another thread than the loop's."""
        self._requests.put(None)
        self._thread.join()

    @property
    def failure(self) -> BaseException | None:
        """What broke the journal, None while it works."""
        return self._failure

    # -- the thread

    def _run(self) -> None:
        try:
            with contextlib.closing(self._connect()) as dialect:
                while (batch := self._collect()) is not None:
                    self._commit(dialect, batch)
        except BaseException as error:
            logger.critical("the journal broke", exc_info=True)
            self._failure = error
            self._deliver(After(gone=[(name, "") for name in self._machines]))
            raise
        finally:
            connection.close()

    def _connect(self) -> Dialect:
        dialect = dialect_of(connection)
        connection.queries_log = deque(maxlen=1)  # with DEBUG on, Django would keep every query
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        return dialect

    def _collect(self) -> list[Request] | None:
        """What is to be done next: all that waits. None when the journal is to end."""
        batch: list[Request] = list(self._again)
        self._again.clear()
        ended = False
        while len(batch) < MAX_GROUP:
            if batch and self._requests.empty():
                break
            request = self._requests.get()
            if request is None:
                ended = True
                break
            if not (isinstance(request, Look) and any(isinstance(r, Look) for r in batch)):
                batch.append(request)  # to look once is enough
        if ended:
            if not batch:
                return None
            self._requests.put(None)
        return batch

    def _commit(self, dialect: Dialect, batch: Sequence[Request]) -> None:
        """Carry out a batch in one transaction, however often it takes."""
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        attempt = 0
        while batch:
            error = self._try_once(dialect, batch)
            if error is None:
                return
            if isinstance(error, Fenced | Contested):
                batch = self._drop_fenced(batch)
            elif isinstance(error, OperationalError):
                logger.warning("the database is busy, nothing is lost: %s", error)
                if time.monotonic() > give_up_at:
                    batch = self._refuse_senders(batch, error)
                    give_up_at = time.monotonic() + GIVE_UP_SECONDS
                sleep_before_retry(attempt)
                attempt += 1
            else:
                self._isolate(dialect, batch, error)
                return

    def _try_once(self, dialect: Dialect, batch: Sequence[Request]) -> Exception | None:
        """One transaction; what it failed with, and then the memory is as it was before."""
        now = self._clock.now()
        group = Group(dialect, self._machines, self._process_id, now, self._secrets)
        try:
            with dialect.turn(), transaction.atomic():
                for request in batch:
                    _CARRY_OUT[type(request)](group, request)
                play_all(group)
                group.answer_accepted()
                group.flush()
        except Exception as error:  # noqa: BLE001 - given back, and told apart there
            self._undo(group, batch)
            return error
        self._forget_ended(group)
        self._again.extend(group.after.requests)
        self._deliver(group.after)
        return None

    def _forget_ended(self, group: Group) -> None:
        """Let machines go that have left, and instances that have ended: there may be many."""
        for name in group.after.left:
            self._machines.pop(name, None)
        for name, _status in group.after.gone:
            live = self._machines.get(name)
            if live is not None and live.is_child:
                del self._machines[name]

    def _isolate(self, dialect: Dialect, batch: Sequence[Request], error: Exception) -> None:
        """One request of the batch is at fault: each is tried for itself."""
        if len(batch) == 1:
            self._reject(batch[0], error)
            return
        for request in batch:
            self._commit(dialect, [request])

    # -- when a transaction fails

    def _undo(self, group: Group, batch: Sequence[Request]) -> None:
        """Let the memory of all machines of the group be what the database says."""
        group.undo_watchers()
        entering = {request.live.name for request in batch if isinstance(request, Enter)}
        for live in group.after.started:  # never was
            self._machines.pop(live.name, None)
            group.touched.pop(live.name, None)
        again: list[tuple[str, Deadline]] = []
        for name, live in group.touched.items():
            self._reload(live)
            if name in entering:
                self._machines.pop(name, None)
                continue
            resume.let_passed_wait(live, self._clock.now())
            # Also these: the machine may have nothing else to do.
            again.extend((name, deadline) for deadline, _timer_id in live.deadlines.values())
        self._deliver(After(arm=again))

    def _reload(self, live: Live) -> None:
        while True:
            try:
                lifecycle.load(live)
            except OperationalError:
                sleep_before_retry(1)
            else:
                return

    def _drop_fenced(self, batch: Sequence[Request]) -> list[Request]:
        """Forget machines that another host owns now, and tell who waits for them; what is left.

        Also those that were to come in just now.
        """
        coming = [request.live for request in batch if isinstance(request, Enter)]
        lives = [*self._machines.values(), *coming]
        mine = dict(
            Machine.objects.filter(pk__in=[live.id for live in lives]).values_list("name", "epoch")
        )
        lost = [live for live in lives if mine.get(live.name) != live.epoch]
        after = After()
        for live in lost:
            self._machines.pop(live.name, None)
            logger.error("%s was taken over by another host", live.name)
            work = live.snapshot.turn.work
            if work is not None:
                after.stop_work.append((live.name, work.token))
            after.disarm.extend((live.name, key) for key in live.deadlines)
            after.gone.append((live.name, "fenced"))
            for event_id, replies in live.watchers.items():
                said = {
                    "ok": True,
                    "event": event_id,
                    "status": "accepted",
                    "running": False,
                    "machine": live.name,
                }
                after.replies.extend((reply, dict(said)) for reply in replies)
        if lost:
            self._deliver(after)
        return [
            request
            for request in batch
            if not (isinstance(request, Enter) and any(request.live is live for live in lost))
        ]

    def _refuse_senders(self, batch: Sequence[Request], error: Exception) -> list[Request]:
        """Tell senders that the database was locked all the time; the rest is tried again."""
        after = After()
        left: list[Request] = []
        for request in batch:
            if isinstance(request, Submit | Control):
                why = f"the database was busy for {GIVE_UP_SECONDS} s; nothing was written: {error}"
                said: dict[str, Any] = {"ok": False, "code": "busy", "error": why}
                after.replies.append((request.reply, said))
            else:
                left.append(request)
        self._deliver(after)
        return left

    def _reject(self, request: Request, error: Exception) -> None:
        """A request that cannot be carried out: the sender is told, the host lives."""
        logger.error("a request failed: %r", request, exc_info=error)
        if isinstance(request, Submit | Control):
            why = f"it could not be carried out: {type(error).__name__}: {error}"
            said: dict[str, Any] = {"ok": False, "code": "failed", "error": why}
            self._deliver(After(replies=[(request.reply, said)]))
        elif not isinstance(error, DatabaseError):
            raise error
        elif isinstance(request, Enter):
            self._deliver(After(gone=[(request.live.name, "")]))


def _look(group: Group, _request: Look) -> None:
    intake.look(group)
    lifecycle.obey_wishes(group)


def _print(group: Group, request: Printed) -> None:
    group.rows.run_output(request.token, request.output)


_CARRY_OUT: Mapping[type[Request], Callable[[Group, Any], None]] = {
    Submit: intake.accept,
    Ended: lifecycle.ended,
    Due: lifecycle.due,
    Play: lifecycle.go_on,
    Printed: _print,
    Look: _look,
    Control: lifecycle.control,
    Enter: lifecycle.enter,
}
