"""Goodwill that needs somebody with more authority: asked for, and approved, declined, or too late."""

from datetime import timedelta
from uuid import UUID

from prometheus_client import Gauge

from chassis.api.entities import found, save
from chassis.db.aliases import lock_person
from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of
from chassis.work.timers import Timer
from loyalty.domain.facts import GoodwillDeclined, GoodwillRequested, GoodwillRequestExpired
from loyalty.domain.goodwill import Goodwill, State
from loyalty.names import GOODWILL
from loyalty.store.goodwill import (
    GET_GOODWILL,
    INSERT_GOODWILL,
    LOCK_GOODWILL,
    UPDATE_GOODWILL,
    WAITING,
)
from loyalty.usecases.goodwill import Wanted, allow, give, judged_goodwill
from loyalty.usecases.goodwill_authority import Authority, grantor_of, judge

REQUEST_TIMER = "goodwill-request-expires"
LIFETIME = timedelta(days=7)
REQUESTS = Gauge("rapport_goodwill_requests", "Requests for goodwill that wait. The same in every replica.")
OLDEST = Gauge(
    "rapport_goodwill_request_oldest_seconds",
    "How long the request for goodwill that waits longest has waited. The same in every replica.",
)


async def request_goodwill(
    tx: Transaction, authority: Authority, *, goodwill: Wanted, lifetime: timedelta | None
) -> Goodwill:
    """Ask for what one may not grant.

    FailedPrecondition `WITHIN_AUTHORITY` for what one may, and else refused as a grant for its harm.
    """
    asked, judged = await judged_goodwill(tx, authority, goodwill, is_request=True)
    if judged.policy.allows(asked.counted, judged.band, judged.spent):
        told = f"{judged.policy.name} lets you grant that: grant it instead."
        raise FailedPrecondition("WITHIN_AUTHORITY", told, {"resource": judged.policy.name})
    asked.state, asked.requester = State.REQUESTED, grantor_of(tx)
    asked.expire_time = tx.now + (lifetime or LIFETIME)
    await INSERT_GOODWILL.run(tx, **values(asked))
    tx.record(fact_of(GoodwillRequested, asked, **asked.told), version=asked.version)
    await tx.schedule(REQUEST_TIMER, str(asked.id), asked.expire_time)
    return asked


async def approve_goodwill(tx: Transaction, authority: Authority, *, goodwill_id: UUID) -> Goodwill:
    """Grant what somebody else asked for, on one's own authority, as everything is now.

    NotFound; FailedPrecondition `GOODWILL_DECIDED`, `OWN_REQUEST`, and refused as a grant.
    """
    asked = await found(tx, GOODWILL, GET_GOODWILL, goodwill_id)
    names = await lock_person(tx, asked.customer_id)  # before the row, as in every grant
    goodwill = await found(tx, GOODWILL, LOCK_GOODWILL, goodwill_id)
    goodwill.require_open(tx.now)
    goodwill.require_other(grantor_of(tx))
    judged = await judge(tx, authority, goodwill.gift, names, goodwill.promise_id)
    await authority.convert(tx, goodwill)
    allow(tx, goodwill, judged, grantor_of(tx))
    goodwill.decide(State.GRANTED, grantor_of(tx), tx.now)
    await give(tx, goodwill, is_new=False)
    await tx.cancel(REQUEST_TIMER, str(goodwill.id))
    return goodwill


async def decline_goodwill(tx: Transaction, *, goodwill_id: UUID, reason_code: str) -> Goodwill:
    """Say no. NotFound; FailedPrecondition `GOODWILL_DECIDED`."""
    goodwill = await found(tx, GOODWILL, LOCK_GOODWILL, goodwill_id)
    goodwill.require_open(tx.now)
    goodwill.decide(State.DECLINED, grantor_of(tx), tx.now, reason_code)
    await save(tx, UPDATE_GOODWILL, goodwill, fact_of(GoodwillDeclined, goodwill, **goodwill.told))
    await tx.cancel(REQUEST_TIMER, str(goodwill.id))
    return goodwill


async def expire_request(tx: Transaction, timer: Timer) -> None:
    """Let go of what nobody decided in time."""
    goodwill = await LOCK_GOODWILL.one(tx, id=UUID(timer.key))
    if goodwill.state is State.REQUESTED:
        goodwill.decide(State.EXPIRED, "", tx.now)
        await save(tx, UPDATE_GOODWILL, goodwill, fact_of(GoodwillRequestExpired, goodwill, **goodwill.told))


async def tell_requests(db: Database) -> None:
    """Say as metrics how many requests wait, and how long."""
    waiting = await WAITING.one(db)
    REQUESTS.set(waiting["count"])
    oldest = waiting["oldest"]
    OLDEST.set(max(0.0, (db.clock.now() - oldest).total_seconds()) if oldest else 0.0)
