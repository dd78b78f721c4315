"""What the loyalty service tells."""

from collections.abc import Sequence
from typing import Any

from cases.domain.authority_policy import AuthorityAct, AuthorityUse
from cases.domain.priority import Band
from cases.names import AGENT, CUSTOMER, GOODWILL
from cases.store.standings import CustomerStanding
from cases.usecases.authority import take_back, use
from cases.usecases.standing import values_changed
from chassis.api.messages import decimal, moment, value_name
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.money import Currency
from rapport.common.v1.states_pb2 import GOODWILL_KIND_MONEY
from rapport.loyalty.v1.loyalty_events_pb2 import GoodwillGranted, GoodwillReversed


async def on_values(tx: Transaction, events: Sequence[Event[Any]]) -> None:
    """What customers are worth makes their cases pressing. A band of a later release is none of ours."""
    told = [
        (
            CustomerStanding(CUSTOMER.parse(event.data.customer)[0], band, event.resource_version, tx.now),
            event.causing(tx.call),
        )
        for event in events
        if (band := Band.__members__.get(value_name(event.data, "band")))
    ]
    await values_changed(tx, told)


async def on_goodwill(tx: Transaction, event: Event[GoodwillGranted | GoodwillReversed]) -> None:
    """What a person granted counts for what they may grant yet, until it is taken back."""
    told = event.data
    (goodwill_id,) = GOODWILL.parse(told.goodwill)
    if not AGENT.match(told.grantor):
        return
    at = moment(told.create_time)
    if isinstance(told, GoodwillReversed):
        await take_back(tx, AuthorityUse(goodwill_id, AuthorityAct.GOODWILL, told.grantor, 0, at))
    else:
        act, amount = _used(told)
        await use(tx, AuthorityUse(goodwill_id, act, told.grantor, amount, at))


def _used(told: GoodwillGranted) -> tuple[AuthorityAct, int]:
    """The act that a grant was, and how much of it: points, or what money counts as, in the smallest unit."""
    if not told.HasField("money"):
        return AuthorityAct.GOODWILL, told.points
    is_money = told.kind == GOODWILL_KIND_MONEY
    money = told.converted_money if told.HasField("converted_money") else told.money
    amount = Currency.of(money.currency_code).smallest(decimal(money))
    return AuthorityAct.REFUND if is_money else AuthorityAct.REPLACEMENT, amount
