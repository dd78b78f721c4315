"""How much departments send a customer within a day, by the days on which it goes."""

from collections.abc import Sequence
from datetime import datetime

from chassis.db.statement import Executor
from notifications.domain.pressure import DAY, crowd
from notifications.store.tables import GOING_BY_HAND


async def count_by_hand(on: Executor, names: Sequence[str], purpose: str, at: datetime) -> int:
    """How many notices for a purpose departments send a customer of these names, within a day with `at`."""
    span = {"first": at - DAY, "last": at + DAY}
    rows = await GOING_BY_HAND.all(on, customers=names, policies=[""], purpose=purpose, **span)
    return crowd([row["at"] for row in rows], at)
