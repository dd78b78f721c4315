"""The bands that customers are in, and telling of it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import UUID

from prometheus_client import Counter

from chassis.context import Call, acting, service_itself
from chassis.db.aliases import groups_of
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAMES, Executor
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from loyalty.domain.facts import CustomerValueChanged
from loyalty.domain.rates import Rates
from loyalty.domain.value import Band, CustomerValue, ValueFormula
from loyalty.store.purchases import (
    LOCK_OTHERWISE_BANDED,
    LOCK_VALUES,
    OTHER_VALUES,
    SAVE_BANDS,
    SOME_OTHERWISE_BANDED,
)
from loyalty.store.rates import NEWEST_RATES

UNRATED = Counter(
    "rapport_value_unrated",
    "How often somebody bought of whom what they paid in a currency counts for nothing in their band, for "
    "want of a rate. By the currency.",
    ["currency"],
)
BANDS_TIMER = "follow-bands"
CHUNK = 500  # in one transaction
# After the last replica has started, when none is left that goes by the bands of before.
_SETTLED = timedelta(minutes=5)


async def others_of(on: Executor, values: Collection[CustomerValue]) -> dict[UUID, list[CustomerValue]]:
    """What customers are worth by their other names, by the name that is given: merged, they are one."""
    given = {value.customer_id: value for value in values}
    others: dict[UUID, list[CustomerValue]] = defaultdict(list)
    for other in await OTHER_VALUES.all(on, customer_ids=list(given)) if given else ():
        others[other.of].append(given.get(other.customer_id, other))
    return others


async def rates_for(
    on: Executor, formula: ValueFormula, values: Iterable[CustomerValue], at: datetime
) -> Rates:
    """The rates that hold at a time of the currencies that customers paid in, beside the installation's."""
    return await rates_to(on, formula.currency, {code for value in values for code in value.totals}, at)


async def rates_to(on: Executor, currency: str, of: AbstractSet[str], at: datetime) -> Rates:
    """The rates to a currency that hold at a time, of others that have one."""
    others = of - {currency}
    if not others:
        return {}
    day = at.astimezone(UTC).date()
    newest = await NEWEST_RATES.all(on, currencies=sorted(others), currency=currency, day=day)
    # Of one day the direct one: it is read last.
    newest.sort(key=lambda rate: (rate.rate_date, rate.quote_currency == currency))
    return {
        rate.base_currency if rate.quote_currency == currency else rate.quote_currency: rate
        for rate in newest
    }


async def lock_people(tx: Transaction, customer_ids: Iterable[UUID]) -> None:
    """Let one at a time buy for who were merged, by whichever name: of two the second sees the first."""
    groups = await groups_of(tx, customer_ids)
    if merged := sorted(survivor for survivor, names in groups.members.items() if len(names) > 1):
        await LOCK_NAMES.run(tx, names=[f"customers/{each}" for each in merged])
        await LOCK_VALUES.all(tx, customer_ids=groups.everybody)


async def put_in_bands(
    tx: Transaction, values: Sequence[CustomerValue], formula: ValueFormula
) -> dict[UUID, Band]:
    """Put customers whose values are locked in their bands; what others were told of each before."""
    before, moved, others = {}, [], await others_of(tx, values)
    rates = await _rates_of_all(tx, formula, values, others)
    for currency in {code for value in values for code in value.totals} - {formula.currency, *rates}:
        tx.after_commit(UNRATED.labels(currency).inc)
    for value in values:
        was = value.band, value.formula_version
        before[value.customer_id] = formula.put(value, *others[value.customer_id], rates=rates)
        if was != (value.band, value.formula_version):
            moved.append(value)
    await SAVE_BANDS.rows(tx, moved)
    return before


def tell_value(
    tx: Transaction, value: CustomerValue, previous_band: Band, caused_by: UUID | None = None
) -> UUID:
    """Say what a customer is worth."""
    changed = fact_of(CustomerValueChanged, value, previous_band=previous_band)
    return tx.record(changed, version=value.version, caused_by=caused_by)


async def move_other_names(tx: Transaction, values: Collection[CustomerValue], formula: ValueFormula) -> None:
    """Put in their bands by their other names, too, the people whose values are given and locked."""
    given, others = {value.customer_id for value in values}, await others_of(tx, values)
    beside = {each.customer_id: each for of in others.values() for each in of}
    await move_bands(tx, [value for name, value in beside.items() if name not in given], formula)


async def expect_bands(db: Database, formula: ValueFormula) -> None:
    """See at a start whether bands are set otherwise than before, and put customers in them soon after."""
    if await SOME_OTHERWISE_BANDED.maybe(db, version=formula.version) is None:
        return
    with acting(Call("start", service_itself(db.service))):
        async with db.transaction() as tx:
            await tx.schedule(BANDS_TIMER, "", tx.now + _SETTLED)


async def follow_bands(tx: Transaction, formula: ValueFormula) -> None:
    """Put some of the customers in their bands who are in those that were set before, then come back.

    Others are told of whom that moves; of the rest they know what is so.
    """
    values = await LOCK_OTHERWISE_BANDED.all(tx, version=formula.version, limit=CHUNK)
    await move_bands(tx, values, formula)
    if values:
        await tx.schedule(BANDS_TIMER, "", tx.now)


async def move_bands(tx: Transaction, values: Sequence[CustomerValue], formula: ValueFormula) -> None:
    """Put customers whose values are locked in their bands, and tell of whom that moves."""
    others = await others_of(tx, values)
    rates = await _rates_of_all(tx, formula, values, others)
    for value in values:
        before = formula.put(value, *others[value.customer_id], rates=rates)
        if before != value.band:
            value.version, value.update_time = value.version + 1, tx.now
            tell_value(tx, value, before)
    await SAVE_BANDS.rows(tx, values)


async def _rates_of_all(
    tx: Transaction,
    formula: ValueFormula,
    values: Sequence[CustomerValue],
    others: Mapping[UUID, Sequence[CustomerValue]],
) -> Rates:
    return await rates_for(tx, formula, [*values, *chain.from_iterable(others.values())], tx.now)
