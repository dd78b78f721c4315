"""Customers who changed are compared with others some seconds later, in one process at a time."""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from prometheus_client import Counter

from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.judgement import is_transient
from customer.store import matches as store
from customer.usecases.match_step import Matcher

POLL_S = 1.0
AT_ONCE = 50
PATIENCE_MS = 10_000
FAILURES = Counter(
    "rapport_match_failures", "Customers who could not be compared, and are tried again in an hour."
)
FAILURES.inc(0)  # told from the start, so that a first one is seen
_log = structlog.get_logger()


class Matching:
    """Compares who changed. Any number of replicas may: one does at a time."""

    def __init__(self, db: Database, matcher: Matcher) -> None:
        self._db, self._matcher = db, matcher
        self._clock = Call("match", service_itself(db.service))
        self._at_once = AT_ONCE

    async def run(self) -> None:
        """Compare until cancelled."""
        while True:
            if not await self.once():
                await asyncio.sleep(POLL_S)

    async def once(self) -> bool:
        """Compare some. False when there is nothing to compare, or not now."""
        rows: Sequence[Any] = ()
        try:
            rows = await store.QUEUED.all(self._db, limit=self._at_once)
            if rows:
                await self._compare(rows)
            self._at_once = min(AT_ONCE, 2 * self._at_once)
            return bool(rows)
        except Exception as error:
            if len(rows) == 0 or isinstance(error, DATABASE_ERRORS) or is_transient(error):
                _log.warning("customers are compared later", error=type(error).__name__)
                self._at_once = max(
                    1, len(rows) // 2
                )  # what takes longer than a transaction may, gets through
                return False
            return await self._one_by_one(rows)

    async def _one_by_one(self, rows: Sequence[Any]) -> bool:
        """Find whose comparison fails, so that they hold up nobody else."""
        for row in rows:
            try:
                await self._compare([row])
            except Exception as error:
                if isinstance(error, DATABASE_ERRORS) or is_transient(error):
                    return False
                FAILURES.inc()
                customer = str(row["customer_id"])
                _log.error("a customer could not be compared", customer_id=customer, exc_info=error)
                await store.POSTPONE.run(self._db, ids=[row["id"]])
        return True

    async def _compare(self, rows: Sequence[Any]) -> None:
        """Compare whom the rows are of, and forget the rows, unless another process did."""
        with acting(self._clock):
            # Waits in line for its turn: a job that matches everybody takes one after the other.
            async with self._db.background, self._db.transaction(lock_timeout_ms=PATIENCE_MS) as tx:
                await store.LOCK.run(tx)
                taken = await store.DEQUEUE.all(tx, ids=[row["id"] for row in rows])
                await self._matcher.match(tx, {row["customer_id"] for row in taken})
