"""What members earn for events of any service: each once, in whatever order they come, told again or not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from chassis.db.transaction import Transaction
from loyalty.domain.earning import Item
from loyalty.domain.value import ValueFormula
from loyalty.names import CUSTOMER
from loyalty.store import earning as store
from loyalty.store.earning import RuleInForce
from loyalty.usecases import conditions
from loyalty.usecases.bands import bands_of
from loyalty.usecases.earning_posting import post_all
from loyalty.usecases.evaluating import Matter, Reckoning, given_for, in_force


@dataclass(frozen=True, slots=True)
class Happened:
    """An event: its message's full name, when it was, and what it tells."""

    id: UUID
    type: str
    at: datetime
    data: Any


async def earn_for_events(tx: Transaction, formula: ValueFormula, events: Sequence[Happened]) -> None:
    """Post what members earn for events, by the rules that were in force when each happened.

    So it is the same in whatever order they come, and a rule gives nothing for what is told again of before.
    """
    versions = await store.EVENT_RULES.all(tx)
    known = {version.event_type for version in versions}
    reckonings = [
        found
        for event in sorted(events, key=lambda event: (event.at, event.id))
        if event.type in known
        for found in _reckonings(event, [r for r in in_force(versions, event.at) if not r.has_ended(tx.now)])
    ]
    if not reckonings:
        return
    kept = {each.id for each in await store.SOME_EARNINGS.all(tx, ids=[each.id for each in reckonings])}
    new = [each for each in reckonings if each.id not in kept]
    bands = await bands_of(tx, formula, {each.customer_id for each in new}, tx.now)
    await post_all(tx, new, bands, {})


def _reckonings(event: Happened, rules: Iterable[RuleInForce]) -> Iterator[Reckoning]:
    """What an event earns each customer whom rules see in it."""
    of: dict[UUID, list[RuleInForce]] = {}
    for rule in rules:
        named = getattr(event.data, rule.customer_field or "customer", "")
        if rule.event_type == event.type and (ids := CUSTOMER.match(named)):
            of.setdefault(ids[0], []).append(rule)
    own = CUSTOMER.match(getattr(event.data, "customer", ""))
    about = Matter(event.at, "", [Item(0, Decimal(0))], partial(conditions.of_event, event.data))
    for customer_id, asked in of.items():
        is_own = own is not None and own[0] == customer_id
        earning_id = event.id if is_own else uuid5(event.id, str(customer_id))
        yield Reckoning(
            earning_id,
            customer_id,
            event.at,
            0,
            event.id,
            asked,
            partial(given_for, about, customer_id, asked),
            event_type=event.type,
        )
