"""What a service brings for one kind of work, and one attempt's right to act: the line it may cross once."""

import asyncio
from datetime import timedelta
from typing import Any, Protocol

from chassis.backoff import Backoff
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.judgement import is_transient
from chassis.telemetry.metrics import WORK_REPEATS
from chassis.work import queue
from chassis.work.item import Later, Outcome, Refused, State, Superseded, Work

LEASE = 1.1  # times what it is for: so the outcome can still be recorded
TRIES = 5
PAUSE_S = 0.3


class Worker(Protocol):
    """Does one kind of work. The runner calls `act`, in it `Turn.hand_over`, and then `record`."""

    kind: str  # as given to `enqueue`
    at_once: int  # how much of it one process does side by side; more is not claimed
    prepare_time: timedelta  # how long `act` may take until it hands over. A claim is leased a little longer
    answer_time: timedelta  # how long the other side may take to answer after that. As above
    retries: Backoff  # the pauses between attempts

    async def act(self, work: Work, turn: "Turn") -> Any:
        """Do it, outside of any transaction. What it returns is the result of an outcome DONE.

        Call `turn.hand_over` before anything leaves that cannot be called back, and `turn.commit_to_it` right
        before the last of it does. NotDone when it was not done, and that is sure. After `commit_to_it` any
        other exception means that the outcome is unknown; before, that it is tried again later.
        """

    async def lock(self, tx: Transaction, key: str) -> Any:
        """Lock and return what the work is about: first in every transaction, so locks have one order."""

    async def handing_over(self, tx: Transaction, subject: Any, work: Work, about: Any) -> bool:
        """Note that an attempt begins, by what `act` gave `hand_over`. False when the subject has changed."""

    async def record(self, tx: Transaction, subject: Any, work: Work, attempt: int, outcome: Outcome) -> None:
        """Keep what is known of an attempt and what became of the work: `work.state` says.

        May be called twice with the same, and late, for an attempt that others have followed. `attempt` is 0
        when the work expired.
        """


class Turn:
    """An attempt's right to act, until its lease runs out: `until`, by the event loop's clock."""

    def __init__(self, db: Database, worker: Worker, work: Work) -> None:
        self.committed = False  # whether what was handed over can no longer be called back
        self.until = asyncio.get_running_loop().time() + worker.prepare_time.total_seconds()
        self._db = db
        self._worker = worker
        self._work = work

    async def hand_over(
        self, fingerprint: str = "", about: Any = None, *, repeats: int | None = None
    ) -> None:
        """The one conditional write before the point of no return: what follows is an attempt.

        `fingerprint` is that of what is handed over; after an unknown outcome it must be the same again.
        `about` goes to `Worker.handing_over`. After this one there may be `repeats` of what may have been
        done, for one other side does the same once only and the next does it twice; None for as many as the
        work has.

        Superseded when the turn has gone to another or the subject has changed; Refused when what should be a
        repeat says something else; Later when the database does not answer.
        """
        if self._work.unknown and self._work.fingerprint not in ("", fingerprint):
            raise Refused("not-repeatable")
        answer_s = self._worker.answer_time.total_seconds()
        # From before the first write, which may be the one that was kept: so ours ends first.
        began = asyncio.get_running_loop().time()
        for tried in range(TRIES):
            try:
                await self._write(fingerprint, about, repeats, tried > 0)
            except Exception as error:
                if not is_transient(error):
                    raise
                await asyncio.sleep(PAUSE_S)
                continue
            self.until = began + answer_s
            return
        raise Later("database-unavailable")

    async def renew(self) -> None:
        """Say that it is still prepared, so that it may take as long again from now.

        For what takes longer than somebody waits to see that whoever prepares it has died: call it several
        times in each `prepare_time`. Superseded when the turn has gone to another.
        """
        began, prepare_time = asyncio.get_running_loop().time(), self._worker.prepare_time
        ours = {"work": self._work.id, "at_attempt": self._work.attempt}
        if await queue.RENEW.maybe(self._db, **ours, lease=prepare_time * LEASE) is None:
            raise Superseded("lease-over")
        self.until = began + prepare_time.total_seconds()

    def commit_to_it(self) -> None:
        """What leaves next cannot be called back. Superseded when the lease has run out meanwhile."""
        if asyncio.get_running_loop().time() >= self.until:
            raise Superseded("lease-over")
        self.committed = True

    async def _write(self, fingerprint: str, about: Any, repeats: int | None, again: bool) -> None:
        """Once. That an earlier try committed, and its answer was lost, is seen in the row itself."""
        worker, work = self._worker, self._work
        if again:
            found = await queue.GET.one(self._db, work=work.id)
            if found.state is State.HANDING_OVER and found.attempt == work.attempt:
                return
        async with self._db.transaction() as tx:
            subject = await worker.lock(tx, work.key)
            ours = {"work": work.id, "at_attempt": work.attempt, "of": fingerprint, "repeats": repeats}
            if await queue.HAND_OVER.maybe(tx, **ours, lease=worker.answer_time * LEASE) is None:
                raise Superseded("lease-over")
            # After that, so that what it writes travels with the commit.
            if not await worker.handing_over(tx, subject, work, about):
                raise Superseded("changed")
            if work.unknown:
                tx.after_commit(WORK_REPEATS.labels(work.kind).inc)
