"""What this service itself tells: what went wrong makes cases more pressing, and asks for somebody."""

from dataclasses import dataclass

from cases.domain.escalation import EscalationReason
from cases.domain.promise_clock import PromiseClock
from cases.names import CLOCK, CUSTOMER, PROMISE
from cases.usecases.call import end_moot_call
from cases.usecases.escalation import clock_is_up, clock_settled, promise_broken, promise_settled
from cases.usecases.standing import prioritize_again
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from rapport.cases.v1.cases_events_pb2 import (
    ClockBreached,
    ClockFulfilled,
    ClockWarned,
    PromiseBroken,
    PromiseDelayNotified,
    PromiseKept,
    PromiseRecovered,
    PromiseRenegotiated,
    PromiseWithdrawn,
)
from rapport.common.v1.states_pb2 import PROMISE_STATE_BROKEN, PROMISE_STATE_KEPT_LATE


async def on_promise_ended(
    tx: Transaction, event: Event[PromiseBroken | PromiseKept | PromiseWithdrawn]
) -> None:
    """Look at the customer's cases again when it was not kept in time; a broken one asks for somebody.

    As long as it is neither kept after all nor taken back.
    """
    (promise_id,) = PROMISE.parse(event.data.promise)
    if event.data.state in (PROMISE_STATE_BROKEN, PROMISE_STATE_KEPT_LATE):
        (customer_id,) = CUSTOMER.parse(event.data.customer)
        await prioritize_again(tx, customer_id)
    if isinstance(event.data, PromiseBroken):
        await promise_broken(tx, promise_id)
    else:
        await promise_settled(tx, promise_id)


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls about promises."""

    clock: PromiseClock

    async def moot(
        self,
        tx: Transaction,
        event: Event[
            PromiseKept | PromiseRecovered | PromiseDelayNotified | PromiseRenegotiated | PromiseWithdrawn
        ],
    ) -> None:
        """Nobody is called about what they know, or need not know any more."""
        (promise_id,) = PROMISE.parse(event.data.promise)
        await end_moot_call(tx, self.clock, promise_id)


async def on_clock(tx: Transaction, event: Event[ClockWarned | ClockBreached | ClockFulfilled]) -> None:
    """Time that is up, or soon, asks for somebody, as long as it is not done."""
    (clock_id,) = CLOCK.parse(event.data.clock)
    if isinstance(event.data, ClockFulfilled):
        await clock_settled(tx, clock_id)
        return
    breached = isinstance(event.data, ClockBreached)
    reason = EscalationReason.CLOCK_BREACHED if breached else EscalationReason.CLOCK_WARNED
    await clock_is_up(tx, clock_id, reason)
