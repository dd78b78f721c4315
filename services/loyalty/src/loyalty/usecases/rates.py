"""Rates between currencies: supplied, corrected, and followed by the bands of whoever paid in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from chassis.api.entities import found, write
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExists
from chassis.facts import Changes, changed
from chassis.work.timers import Timer
from loyalty.domain.rates import ExchangeRate
from loyalty.domain.value import ValueFormula
from loyalty.names import EXCHANGE_RATE
from loyalty.store import rates as store
from loyalty.usecases.values import CHUNK, move_bands

RATES_TIMER = "follow-rates"
_FIRST = UUID(int=0)


@dataclass(slots=True)
class SentRate:
    """A rate as it is sent."""

    base_currency: str
    quote_currency: str
    rate: Decimal
    rate_date: date
    source: str


@dataclass(slots=True)
class Asked:
    """An item of a batch."""

    exchange_rate: SentRate


class Batch(NamedTuple):
    """The rates, in the order in which they were sent."""

    exchange_rates: list[ExchangeRate]


async def create_rate(tx: Transaction, formula: ValueFormula, *, exchange_rate: SentRate) -> ExchangeRate:
    """Add a rate. AlreadyExists when one of that pair and day says otherwise."""
    [rate] = (await create_rates(tx, formula, requests=[Asked(exchange_rate)])).exchange_rates
    return rate


async def create_rates(tx: Transaction, formula: ValueFormula, *, requests: Sequence[Asked]) -> Batch:
    """Add rates, all or none. AlreadyExists when one of a pair and day says otherwise."""
    rates = [
        ExchangeRate.of(
            each.base_currency, each.quote_currency, each.rate, each.rate_date, each.source, tx.now
        )
        for each in (asked.exchange_rate for asked in requests)
    ]
    new = await store.INSERT_RATES.rows(tx, sorted(rates, key=lambda rate: rate.id))
    there = await store.SOME_RATES.all(tx, ids=[rate.id for rate in rates])
    stands = {rate.id: rate for rate in there}
    for rate in rates:
        if (stands[rate.id].rate, stands[rate.id].source) != (rate.rate, rate.source):
            raise ResourceExists(rate.name)
    await _expect(tx, formula, new)
    return Batch([stands[rate.id] for rate in rates])


async def update_rate(
    tx: Transaction,
    formula: ValueFormula,
    *,
    exchange_rate_id: str,
    etag: str,
    changes: Changes[ExchangeRate],
) -> ExchangeRate:
    """Correct a rate. NotFound; Aborted when the etag is stale."""
    rate = await found(tx, EXCHANGE_RATE, store.LOCK_RATE, exchange_rate_id, etag=etag)
    if changed(rate, changes):
        await write(tx, store.UPDATE_RATE, rate)
        await _expect(tx, formula, [rate])
    return rate


async def _expect(tx: Transaction, formula: ValueFormula, rates: Iterable[ExchangeRate]) -> None:
    """See to the bands of who paid in these currencies, from the days on that their rates hold."""
    for rate in rates:
        pair = {rate.base_currency, rate.quote_currency}
        for currency in pair - {formula.currency} if formula.currency in pair else ():
            begins = datetime.combine(rate.rate_date, time.min, UTC)
            await tx.schedule(RATES_TIMER, f"{currency}/{rate.rate_date}/{_FIRST}", max(tx.now, begins))


async def follow_rates(tx: Transaction, formula: ValueFormula, timer: Timer) -> None:
    """Put some of the customers in their bands who paid in a currency, and come back for the next."""
    currency, day, after = timer.key.split("/")
    values = await store.LOCK_PAID_IN.all(tx, currency=currency, after=UUID(after), limit=CHUNK)
    await move_bands(tx, values, formula)
    if len(values) == CHUNK:
        await tx.schedule(RATES_TIMER, f"{currency}/{day}/{values[-1].customer_id}", tx.now)
