"""Whom to ask for more authority, and until when they have."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cases.domain.case import Case
from cases.domain.escalation import EscalationReason, Level, path
from cases.domain.promise import Promise
from cases.names import AGENT
from cases.store.managers import MANAGER
from cases.store.tables import AGENT as AGENT_BY_ID
from cases.store.tables import DEPARTMENT
from cases.usecases.agent import FRONT_DESK
from cases.usecases.calendar import working_hours
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition

BUSINESS_MINUTES = 60  # that each has, unless the department says otherwise
_FRONT_DESK = AGENT.format(FRONT_DESK)


@dataclass(frozen=True, slots=True)
class About:
    """What somebody is asked to take: a case, a promise that is on none, or either for what went wrong."""

    whole: Case | Promise
    reason: EscalationReason
    promise_id: UUID | None = None
    clock_id: UUID | None = None

    @property
    def case_id(self) -> UUID | None:
        return self.whole.id if isinstance(self.whole, Case) else None

    @property
    def owner(self) -> str | None:
        """Who owns the case, `agents/{agent}`."""
        return self.whole.owner if isinstance(self.whole, Case) else None


async def next_of(tx: Transaction, about: About, department_id: str, asked: Collection[str]) -> Level | None:
    """Who is to be asked now, and until when they have, by the working hours of their own department."""
    department = await DEPARTMENT.maybe(tx, id=department_id)
    manager = await MANAGER.maybe(tx, customer_id=about.whole.customer_id, front_desk=FRONT_DESK)
    above = [
        *(department.escalation_path if department else ()),
        *([AGENT.format(manager["agent_id"])] if manager else ()),
    ]
    said = department.escalation_business_minutes if department else 0
    minutes = timedelta(minutes=said or BUSINESS_MINUTES)
    for name in path(above, about.owner, _FRONT_DESK, about.reason):
        if name not in asked and (due_time := await _due_time(tx, name, minutes)):
            return Level(name, tx.now, due_time)
    return None


async def _due_time(tx: Transaction, name: str, minutes: timedelta) -> datetime | None:
    """When somebody has worked so long. None for who left, or will not work again; the front desk will."""
    agent = await AGENT_BY_ID.one(tx, id=AGENT.ids(name)[0])
    if agent.inactive and name != _FRONT_DESK:
        return None
    try:
        return (await working_hours(tx, agent.department_id)).add(tx.now, minutes)
    except FailedPrecondition:  # CALENDAR_CLOSED
        return tx.now + minutes if name == _FRONT_DESK else None
