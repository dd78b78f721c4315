"""One attempt's right to act, and the line that it may cross once."""

import asyncio
from typing import Any

from chassis.db.database import Database
from chassis.judgement import is_transient
from chassis.telemetry.metrics import WORK_REPEATS
from chassis.work import queue
from chassis.work.item import State, Work
from chassis.work.outcome import Later, Refused, Superseded
from chassis.work.worker import Worker

LEASE = 1.1  # times what it is for: so the outcome can still be recorded
TRIES = 5
PAUSE_S = 0.3


class Turn:
    """An attempt's right to act, until its lease runs out.

    Attributes:
        committed: whether what was handed over can no longer be called back.
        until: when it ends, by the event loop's clock.
    """

    def __init__(self, db: Database, worker: Worker, work: Work) -> None:
        self.committed = False
        self.until = asyncio.get_running_loop().time() + worker.prepare_time.total_seconds()
        self._db = db
        self._worker = worker
        self._work = work

    async def hand_over(self, fingerprint: str = "", about: Any = None) -> None:
        """The one conditional write before the point of no return: what follows is an attempt.

        `fingerprint` is that of what is handed over; after an unknown outcome it must be the same again.
        `about` goes to `Worker.handing_over`.

        Superseded when the turn has gone to another or the subject has changed; Refused when what should be a
        repeat says something else; Later when the database does not answer.
        """
        if self._work.unknown and self._work.fingerprint not in ("", fingerprint):
            raise Refused("not-repeatable")
        answer_s = self._worker.answer_time.total_seconds()
        # From before the first write, which may be the one that was kept: so ours ends first.
        began = asyncio.get_running_loop().time()
        for _ in range(TRIES):
            try:
                await self._write(fingerprint, about)
            except Exception as error:
                if not is_transient(error):
                    raise
                await asyncio.sleep(PAUSE_S)
                continue
            self.until = began + answer_s
            return
        raise Later("database-unavailable")

    def commit_to_it(self) -> None:
        """What leaves next cannot be called back. Superseded when the lease has run out meanwhile."""
        if asyncio.get_running_loop().time() >= self.until:
            raise Superseded("lease-over")
        self.committed = True

    async def _write(self, fingerprint: str, about: Any) -> None:
        """Once. That an earlier try committed, and its answer was lost, is seen in the row itself."""
        worker, work = self._worker, self._work
        found = await queue.GET.one(self._db, work=work.id)
        if found.state is State.HANDING_OVER and found.attempt == work.attempt:
            return
        async with self._db.transaction() as tx:
            subject = await worker.lock(tx, work.key)
            if not await worker.handing_over(tx, subject, work, about):
                raise Superseded("changed")
            ours = {"work": work.id, "at_attempt": work.attempt, "of": fingerprint}
            if await queue.HAND_OVER.maybe(tx, **ours, lease=worker.answer_time * LEASE) is None:
                raise Superseded("lease-over")
            if work.unknown:
                tx.after_commit(WORK_REPEATS.labels(work.kind).inc)
