"""Waiting until a consumer has applied what a consistency token names: one statement for all who wait.

However many callers wait, a process asks its database one question at a time: when a projector says that it
has committed, here or in another replica, and at the latest after 25 ms.
"""

import asyncio
import contextvars
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis import consistency, ids
from chassis.consistency import Item
from chassis.context import current_call
from chassis.db.database import Database
from chassis.db.schema import INBOX, INBOX_DAYS, PARKED
from chassis.db.statement import Statement
from chassis.db.tables import among
from chassis.errors import FailedPrecondition, Unavailable
from chassis.inbox.subscription import Subscription
from chassis.shares import Shares
from chassis.timeouts import woken

POLL_S = 0.025
RECENT = timedelta(minutes=5)  # nothing older is waited for: it is there, or something is wrong
SKEW_MAX = timedelta(minutes=1)
# Who waits holds the place of a call: half of those for all who wait, so that others find one.
WAITING_MAX = 256
WAITING_OF_A_CALLER = 32

Key = tuple[str, UUID, str]  # consumer, event or transaction, type when counted

# Which daily partitions. The transaction is older than its events by the time it took.
_DAYS = INBOX.c.event_id.between(sa.bindparam("first", type_=sa.Uuid), sa.bindparam("last", type_=sa.Uuid))
_NONE, _ONE = sa.literal_column("''", sa.Text), sa.literal_column("1", sa.BigInteger)


def _found(table: sa.Table, state: sa.ColumnElement[str], *conditions: Any) -> list[sa.Select[Any]]:
    named = sa.select(
        table.c.consumer, table.c.event_id.label("id"), _NONE.label("type"), _ONE.label("count")
    )
    counted = sa.select(table.c.consumer, table.c.transaction_id, table.c.type, sa.func.count())
    return [
        named.add_columns(state.label("state")).where(among(table.c.event_id, "ids"), *conditions),
        counted.add_columns(sa.func.min(state))
        .where(among(table.c.transaction_id, "transactions"), *conditions)
        .group_by(table.c.consumer, table.c.transaction_id, table.c.type),
    ]


# What met a lock is tried again in a second, and is late: two replicas may be at work on one customer.
_FAILED = PARKED.c.reason != sa.literal_column("'LOCK_TIMEOUT'")
_FOUND = Statement[Any](sa.union_all(*_found(INBOX, _NONE, _DAYS), *_found(PARKED, PARKED.c.state, _FAILED)))


@dataclass(slots=True, eq=False)
class _Waiter:
    """A caller who waits: for how many events under each key, and where the answer goes."""

    needs: Mapping[Key, int]
    answer: asyncio.Future[str]


class Arrivals:
    """Tells when writes of other services have arrived in what this one projects, by source."""

    def __init__(self, db: Database, projections: Mapping[str, Subscription]) -> None:
        self._db = db
        self._projections = projections
        self._waiting: set[_Waiter] = set()
        self._places = Shares(WAITING_MAX, WAITING_OF_A_CALLER, "calls waiting for a write")
        self._moved = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None

    def moved(self) -> None:
        """Something was committed, here or in another replica: look again."""
        self._moved.set()

    async def wait(self, token: str, field: str, timeout_s: float) -> None:
        """Return once all that a token, of that field, names is applied, as far as this release hears it.

        InvalidArgument `INVALID_CONSISTENCY_TOKEN`: no write was answered with that. FailedPrecondition
        `CONSISTENCY_TOKEN_EXPIRED`: older than what is remembered (30 days); `WRITE_SET_ASIDE`: one of the
        facts could not be applied, waiting is of no use. Unavailable `VIEW_BEHIND`: not applied in time;
        facts of over 5 minutes ago are not waited for. ResourceExhausted `OVERLOADED`: the caller waits for
        32 writes already, or all together for 256.
        """
        service, items = consistency.parse(token, field)
        if service not in self._projections:
            raise consistency.not_a_token(field)
        if not items:
            return
        oldest = self._plausible(items, field)
        needs = self._needs(service, items)
        if not needs:
            return
        if oldest < self._db.clock.now() - RECENT:
            state = _verdict(needs, await self._look(needs))
        else:
            with self._places.held(current_call.get().principal.caller):
                state = await self._wait(needs, timeout_s)
        if state is None:
            raise Unavailable(
                "VIEW_BEHIND",
                "The view does not contain that write yet. Try again.",
                {"service": service},
                retry_after_s=1,
            )
        if state:
            raise FailedPrecondition(
                "WRITE_SET_ASIDE",
                "A fact of that write could not be applied and is set aside. Read without the token.",
                {"service": service, "state": state},
            )

    def _plausible(self, items: Iterable[Item], field: str) -> datetime:
        """When the oldest of the items was made."""
        now = self._db.clock.now()
        made = [ids.moment(item.id) for item in items]
        if max(made) > max(now, ids.newest()) + SKEW_MAX:
            raise consistency.not_a_token(field)
        if min(made) < now - timedelta(days=INBOX_DAYS):
            raise FailedPrecondition(
                "CONSISTENCY_TOKEN_EXPIRED",
                f"The token is older than the {INBOX_DAYS} days for which it can be used. Read without it.",
                {"days": INBOX_DAYS},
            )
        return min(made)

    def _needs(self, service: str, items: Iterable[Item]) -> dict[Key, int]:
        subscription = self._projections[service]
        return {
            (subscription.durable, item.id, item.type if item.count else ""): max(item.count, 1)
            for item in items
            if not item.type or subscription.hears(item.type)
        }

    async def _wait(self, needs: Mapping[Key, int], timeout_s: float) -> str | None:
        """An empty text when all is applied, the state of what was set aside, None when the time is up."""
        waiter = _Waiter(needs, asyncio.get_running_loop().create_future())
        self._waiting.add(waiter)
        self._moved.set()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), context=contextvars.Context())
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter.answer
        except TimeoutError:
            return None
        finally:
            self._waiting.discard(waiter)

    async def _ask(self) -> None:
        """Ask for all who wait, as long as anybody does."""
        while self._waiting:
            self._moved.clear()
            asked = list(self._waiting)
            try:
                found = await self._look({key: 1 for waiter in asked for key in waiter.needs})
            except Exception as error:  # whatever it is, it is the answer to everybody
                for waiter in asked:
                    if not waiter.answer.done():
                        waiter.answer.set_exception(error)
                self._waiting.difference_update(asked)
                continue
            for waiter in asked:
                state = _verdict(waiter.needs, found)
                if state is not None and not waiter.answer.done():
                    waiter.answer.set_result(state)
                    self._waiting.discard(waiter)
            await self._pause()
        self._asking = None

    async def _pause(self) -> None:
        if self._waiting:
            began = time.monotonic()
            if await woken(self._moved, POLL_S):
                # A storm of commits is one reason to look again, not many.
                await asyncio.sleep(max(0.0, began + POLL_S / 5 - time.monotonic()))

    async def _look(self, needs: Mapping[Key, int]) -> dict[tuple[Key, str], int]:
        """How many events there are under each key, by their state: "" for applied."""
        named = [key for _, key, counted in needs if not counted]
        transactions = [key for _, key, counted in needs if counted]
        moments = [ids.moment(key) for _, key, _ in needs]
        rows = await _FOUND.all(
            self._db,
            ids=named,
            transactions=list(set(transactions)),
            first=ids.floor(min(moments)),
            last=ids.floor(max(moments) + RECENT),
        )
        return {((row["consumer"], row["id"], row["type"]), row["state"]): row["count"] for row in rows}


def _verdict(needs: Mapping[Key, int], found: Mapping[tuple[Key, str], int]) -> str | None:
    """An empty text when all is applied, what became of a fact that was set aside, None when neither is."""
    missing = [key for key, count in needs.items() if found.get((key, ""), 0) < count]
    if not missing:
        return ""
    for key in missing:
        for state in ("DEAD", "PARKED"):
            if (key, state) in found:
                return state
    return None
