"""What the cases service tells."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from chassis.api.messages import moment
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.inbox.subscription import Handler
from loyalty.domain.goodwill import KnownPromise
from loyalty.names import CASE, CUSTOMER, DEPARTMENT, PROMISE
from loyalty.store.tables import INSERT_HARMS, INSERT_PROMISES
from loyalty.usecases.goodwill import Delay, grant_for_delay
from loyalty.usecases.goodwill_authority import Authority
from rapport.cases.v1.cases_events_pb2 import PromiseAtRisk, PromiseBroken, PromiseKept, PromiseRenegotiated
from rapport.common.v1.states_pb2 import PROMISE_STATE_BROKEN, PROMISE_STATE_KEPT_LATE


async def on_promises(tx: Transaction, events: Sequence[Event[Any]]) -> None:
    """Remember whose each promise is, what it is about and whether that did harm, for people's grants."""
    promises = [
        KnownPromise(
            id=PROMISE.parse(fact.promise)[0],
            customer_id=CUSTOMER.parse(fact.customer)[0],
            root_id=PROMISE.parse(fact.root)[0],
            case_id=CASE.parse(fact.case)[0] if fact.case else None,
            department_id=DEPARTMENT.parse(fact.department)[0] if fact.department else None,
            harmed=_harms(fact),
        )
        for fact in (event.data for event in events)
    ]
    # Always in one order, so that two replicas cannot wait for each other.
    await INSERT_PROMISES.rows(tx, sorted(promises, key=lambda promise: promise.id))
    harmed = [promise for promise in promises if promise.harmed]
    await INSERT_HARMS.rows(tx, sorted(harmed, key=lambda promise: promise.root_id))


def _harms(fact: Any) -> bool:
    """Whether a customer may have something to be made up for. What was once so stays so."""
    match fact:
        case PromiseAtRisk() | PromiseBroken():
            return True
        case PromiseKept():
            return fact.state == PROMISE_STATE_KEPT_LATE
        case PromiseRenegotiated():
            late = fact.state == PROMISE_STATE_BROKEN
            return late or moment(fact.new_due_time) > moment(fact.due_time)
    return False


def goodwill_for_renegotiation(authority: Authority) -> Handler:
    """Grants what the policy gives for the whole delay when a notice told that a promise is moved."""

    async def on_promise_renegotiated(tx: Transaction, event: Event[PromiseRenegotiated]) -> None:
        moved = event.data
        if not moved.notice:  # a person spoke with the customer, and grants within a person's own budget
            return
        delay = Delay(
            customer_id=CUSTOMER.parse(moved.customer)[0],
            promise_id=PROMISE.parse(moved.promise)[0],
            root_id=PROMISE.parse(moved.root)[0],
            first_due=moment(moved.first_due_time),
            new_due=moment(moved.new_due_time),
            zone=ZoneInfo(moved.time_zone) if moved.time_zone else UTC,
            reason_code=moved.reason_code,
            department_id=DEPARTMENT.parse(moved.department)[0] if moved.department else None,
        )
        await grant_for_delay(tx, delay, authority)

    return on_promise_renegotiated
