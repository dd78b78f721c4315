"""What people may do alone: asking it, and doing it within the budget that is left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from cases.domain.authority_policy import (
    AuthorityAct,
    AuthorityPolicy,
    AuthorityUse,
    in_unit,
    require_within,
)
from cases.domain.due import Due
from cases.domain.priority import Harm
from cases.domain.promise import Promise
from cases.names import CASE
from cases.store import authority_policies as store
from cases.store.tables import CASE as CASE_BY_ID
from cases.usecases.standing import standing_of
from chassis.api.actors import actor_name
from chassis.api.entities import found
from chassis.authority import Authority, authority
from chassis.context import Principal
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAME, Executor, values
from chassis.db.transaction import Transaction
from chassis.telemetry.authority import Acts

DAY = timedelta(hours=24)
EXTENSIONS = Acts("extension")
Mays = dict[AuthorityAct, Authority[AuthorityPolicy]]


class Reason(StrEnum):
    """Why somebody may do so much."""

    LIMIT = "LIMIT"
    NO_LIMIT_HOLDS = "NO_LIMIT_HOLDS"
    NO_POLICY = "NO_POLICY"


@dataclass(frozen=True, slots=True)
class Answer:
    """How much of an act somebody may do alone, as the contract has it."""

    act: AuthorityAct
    reason: Reason
    permission: str = ""
    authority_policy: str = ""
    policy_version: int = 0
    points: int = 0
    points_left: int = 0
    days: int = 0
    days_left: int = 0
    money: Decimal | None = None
    money_currency: str = ""
    money_left: Decimal | None = None
    money_left_currency: str = ""


async def check_authority(
    db: Database, principal: Principal, customer_id: UUID | None, case_id: UUID | None
) -> list[Answer]:
    """What somebody may do alone for a customer, or on a case: of each act. NotFound for a case."""
    harm = Harm.NONE
    if customer_id is None:
        case = await found(db, CASE, CASE_BY_ID, case_id)
        customer_id, harm = case.customer_id, case.harm
    now = db.clock.now()
    used = await _used(db, actor_name(principal.subject, db.service), now)
    mays = await _mays(db, principal, AuthorityAct, customer_id, harm, now)
    return [_answer(act, may, used.get(act, 0)) for act, may in mays.items()]


async def extend(tx: Transaction, promise: Promise, due: Due) -> Authority[AuthorityPolicy]:
    """Whoever calls puts a promise off alone: within what they may, by a budget that is locked.

    FailedPrecondition OVER_AUTHORITY, OVER_BUDGET.
    """
    principal, act = tx.call.principal, AuthorityAct.EXTENSION
    case = await CASE_BY_ID.maybe(tx, id=promise.case_id) if promise.case_id else None
    harm = case.harm if case else Harm.NONE
    may = (await _mays(tx, principal, [act], promise.customer_id, harm, tx.now))[act]
    if may.policy is None:
        return may
    agent, days = actor_name(principal.subject, tx.db.service), promise.due.days_until(due)
    await LOCK_NAME.run(tx, name=agent)
    used = (await _used(tx, agent, tx.now)).get(act, 0)
    with EXTENSIONS.judged(days, tx.after_commit):
        require_within(may, days, used)
    await use(tx, AuthorityUse(promise.id, act, agent, days, tx.now))
    return may


async def use(tx: Transaction, used: AuthorityUse) -> None:
    """Count what somebody did, each thing once, as long as a budget does."""
    await tx.defer(store.INSERT_USE, **values(used))
    await tx.defer(store.FORGET_USES, agent=used.agent, since=tx.now - DAY)


async def take_back(tx: Transaction, used: AuthorityUse) -> None:
    """What somebody did was undone, `used` of 0: it counts no more, also when word of it comes after this."""
    await tx.defer(store.UNDO_USE, **values(used))
    await tx.defer(store.FORGET_USES, agent=used.agent, since=tx.now - DAY)


async def _mays(
    on: Executor,
    principal: Principal,
    acts: Iterable[AuthorityAct],
    customer_id: UUID,
    harm: Harm,
    now: datetime,
) -> Mays:
    """What somebody may do alone of these acts for a customer who suffers a harm."""
    policies = await store.POLICIES_FOR.all(on, department_id=principal.department)
    band = (await standing_of(on, customer_id, now)).band
    return {
        act: authority([each for each in policies if each.act is act], principal, band, harm) for act in acts
    }


async def _used(on: Executor, agent: str, now: datetime) -> dict[str, int]:
    """How much somebody did of each act within 24 hours."""
    return {row["act"]: row["amount"] for row in await store.USED.all(on, agent=agent, since=now - DAY)}


def _answer(act: AuthorityAct, may: Authority[AuthorityPolicy], used: int) -> Answer:
    if may.policy is None:
        return Answer(act, Reason.NO_POLICY)
    reason = Reason.NO_LIMIT_HOLDS if may.permission is None else Reason.LIMIT
    by = may.permission or "", str(may.policy.name), may.policy.version
    currency = may.policy.currency_code if reason is Reason.LIMIT else ""
    amounts = in_unit(act, "{}", may.amount, currency)
    amounts |= in_unit(act, "{}_left", may.left(used), currency)
    return Answer(act, reason, *by, **amounts)
