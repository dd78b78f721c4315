"""How much departments, and each policy, send a customer within a day, by the days on which it goes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.db.statement import Executor, Statement
from notifications.domain.pressure import DAY, crowd
from notifications.store.tables import GOING_BY_HAND, GOING_BY_POLICY


async def count_by_hand(on: Executor, names: Sequence[str], purpose: str, at: datetime) -> int:
    """How many notices for a purpose departments send a customer of these names, within a day with `at`."""
    return await _count(on, GOING_BY_HAND, names, at, notice_policy_id="", purpose=purpose)


async def count_of_policy(on: Executor, names: Sequence[str], policy_id: str, at: datetime) -> int:
    """How many notices a policy sends a customer of these names, within a day with `at`."""
    return await _count(on, GOING_BY_POLICY, names, at, notice_policy_id=policy_id)


async def _count(
    on: Executor, going: Statement[Any], names: Sequence[str], at: datetime, **whose: str
) -> int:
    rows = await going.all(on, customers=names, first=at - DAY, last=at + DAY, **whose)
    return crowd([row["at"] for row in rows], at)
