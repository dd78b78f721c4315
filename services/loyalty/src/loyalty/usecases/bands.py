"""The bands that customers are in, many at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from chassis.db.aliases import groups_of
from chassis.db.statement import Executor
from loyalty.domain.value import Band, CustomerValue, ValueFormula
from loyalty.store.purchases import VALUES_OF
from loyalty.usecases.values import rates_for


async def bands_of(
    on: Executor, formula: ValueFormula, customer_ids: Collection[UUID], at: datetime
) -> Mapping[UUID, Band]:
    """The bands that customers are in, by the names that are given."""
    groups = await groups_of(on, customer_ids)
    worth: dict[UUID, list[CustomerValue]] = defaultdict(list)
    values = await VALUES_OF.all(on, customer_ids=groups.everybody)
    rates = await rates_for(on, formula, values, at)
    for each in values:
        worth[groups.whose[each.customer_id]].append(each)
    return {each: formula.band(*worth[groups.survivors[each]], rates=rates) for each in customer_ids}
