"""What customers are worth, by all of their names, and the bands that puts them in."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from chassis.db.aliases import groups_of
from chassis.db.statement import Executor
from loyalty.domain.value import Band, ValueFormula
from loyalty.store.purchases import VALUES_OF
from loyalty.usecases.values import rates_for


class Worth(NamedTuple):
    """What somebody is worth by all of their names."""

    band: Band
    purchase_count: int


async def worth_of(
    on: Executor, formula: ValueFormula, people: Sequence[Collection[UUID]], at: datetime
) -> list[Worth]:
    """What people are worth at a time, each given by all of their names."""
    everybody = [name for names in people for name in names]
    values = {each.customer_id: each for each in await VALUES_OF.all(on, customer_ids=everybody)}
    rates = await rates_for(on, formula, values.values(), at)
    found = []
    for names in people:
        theirs = [values[name] for name in names if name in values]
        count = sum(each.purchase_count for each in theirs)
        found.append(Worth(formula.band(*theirs, rates=rates), count))
    return found


async def bands_of(
    on: Executor, formula: ValueFormula, customer_ids: Collection[UUID], at: datetime
) -> Mapping[UUID, Band]:
    """The bands that customers are in, by the names that are given."""
    groups = await groups_of(on, customer_ids)
    worth = await worth_of(on, formula, list(groups.members.values()), at)
    bands = dict(zip(groups.members, worth, strict=True))
    return {each: bands[groups.survivors[each]].band for each in customer_ids}
