"""Granting goodwill."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from uuid import UUID

import structlog

from chassis import ids
from chassis.api.actors import actor_name
from chassis.db.database import Database
from chassis.db.locks import LOCK_NAMES
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import invalid
from loyalty.domain.facts import GoodwillGranted
from loyalty.domain.goodwill import (
    Allowance,
    AuthorityPolicy,
    Given,
    Goodwill,
    Points,
    Spent,
    customer_mismatch,
    goodwill_exists,
    not_at_risk,
    unknown_promise,
)
from loyalty.domain.ledger import AccountType, Leg, own_account
from loyalty.domain.value import Band, ValueFormula
from loyalty.names import CUSTOMER, PROMISE, UNIT
from loyalty.store.goodwill import GET_PROMISE, GIVEN, INSERT_GOODWILL, SPENT
from loyalty.store.purchases import VALUE_OF
from loyalty.usecases.ledger import post_transfer
from loyalty.usecases.memberships import account_of

# What the policy grants.
_PROGRAM, _UNIT = "main", "points"
_GRANTED = UNIT.format(_PROGRAM, _UNIT)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Grant:
    """Give something to a customer for one harm, that of the promise's chain if a promise is named."""

    customer_id: UUID
    amount: int
    reason_code: str
    promise_id: UUID | None
    root_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """A promise was moved, and the customer knows.

    `first_due` is what the whole delay counts from; `zone` is the customer's: days are counted there.
    """

    customer_id: UUID
    promise_id: UUID
    root_id: UUID
    first_due: datetime
    new_due: datetime
    zone: tzinfo
    reason_code: str


@dataclass(frozen=True, slots=True)
class Authority:
    """What decides how much may be granted."""

    policy: AuthorityPolicy
    formula: ValueFormula

    async def band(self, on: Executor, customer_id: UUID) -> Band:
        """The customer's value band."""
        return self.formula.band(await VALUE_OF.maybe(on, customer_id=customer_id))


async def assess(db: Database, authority: Authority, customer_id: UUID, subject: str) -> Allowance:
    """What somebody may still grant a customer. Nothing is locked: others may grant meanwhile."""
    policy, grantor = authority.policy, actor_name(subject, db.service)
    since = db.clock.now() - policy.budget_period
    spent = await SPENT.one(db, customer_id=customer_id, grantor=grantor, since=since)
    return policy.allowance(await authority.band(db, customer_id), spent)


async def grant_goodwill(
    tx: Transaction,
    authority: Authority,
    *,
    customer_id: UUID,
    points: Points,
    reason_code: str,
    promise_id: UUID | None,
) -> Goodwill:
    """Grant what a person decided.

    FailedPrecondition `OVER_AUTHORITY`, `OVER_BUDGET`, `CUSTOMER_MISMATCH`, `PROMISE_NOT_AT_RISK`; NotFound
    for a promise that is not known here; AlreadyExists `GOODWILL_EXISTS`.
    """
    amount = points.amount
    if points.unit not in ("", _GRANTED):
        raise invalid("goodwill.points.unit", "INVALID_NAME", f"must be {_GRANTED}, what the policy grants")
    spent = await _spent(tx, customer_id, authority.policy, _grantor(tx))
    root_id = None
    if promise_id is not None:
        root_id = await _root(tx, promise_id, customer_id)
        if await _given(tx, customer_id, root_id) != Given(0, 0):
            raise goodwill_exists(PROMISE.format(promise_id))
    authority.policy.authorize(amount, await authority.band(tx, customer_id))
    authority.policy.within_budget(amount, spent)
    return await _grant(tx, _Grant(customer_id, amount, reason_code, promise_id, root_id), authority.policy)


async def grant_for_delay(tx: Transaction, delay: Delay, authority: Authority) -> Goodwill | None:
    """Grant what the policy gives for a moved promise, up to what the whole delay so far earns.

    None when that is nothing or was given. What a person gave counts towards it and takes none of it away. In
    whatever order the moves of one thing are told, the customer has the same in the end: what the longest
    delay earns, or what the person gave if that is more.
    """
    policy = authority.policy
    spent = await _spent(tx, delay.customer_id, policy)
    given = await _given(tx, delay.customer_id, delay.root_id)
    band = await authority.band(tx, delay.customer_id)
    earned = policy.for_delay(delay.first_due, delay.new_due, delay.zone, delay.reason_code, band)
    due = earned - given.by_policy - given.by_people
    points = max(0, min(due, policy.customer_budget - spent.on_customer))
    if points < due:
        held_back, promise = due - points, PROMISE.format(delay.promise_id)
        _log.warning("a customer's budget holds goodwill back", promise=promise, points=held_back)
    if not points:
        return None
    command = _Grant(delay.customer_id, points, "promise-renegotiated", delay.promise_id, delay.root_id)
    return await _grant(tx, command, policy)


async def _given(tx: Transaction, customer_id: UUID, root_id: UUID) -> Given:
    """What a chain was given so far. Read under the lock of the customer's budget: nobody adds to it."""
    return await GIVEN.one(tx, customer_id=customer_id, root_id=root_id, policy=f"services/{tx.db.service}")


async def _spent(tx: Transaction, customer_id: UUID, policy: AuthorityPolicy, grantor: str = "") -> Spent:
    """What was granted within the budget period; until the transaction ends, nobody adds to it.

    The policy has no budget of a grantor: its grants, all by the service, do not wait for each other.
    """
    budgets = [CUSTOMER.format(customer_id), *([grantor] if grantor else [])]
    await LOCK_NAMES.run(tx, names=budgets)
    return await SPENT.one(tx, customer_id=customer_id, grantor=grantor, since=tx.now - policy.budget_period)


def _grantor(tx: Transaction) -> str:
    return actor_name(tx.call.principal.subject, tx.db.service)


async def _root(tx: Transaction, promise_id: UUID, customer_id: UUID) -> UUID:
    """The root of a promise's chain, which is known to be the customer's and to have done harm."""
    promise = await GET_PROMISE.maybe(tx, id=promise_id)
    if promise is None:
        raise unknown_promise(PROMISE.format(promise_id))
    if promise.customer_id != customer_id:
        raise customer_mismatch(PROMISE.format(promise_id), CUSTOMER.format(customer_id))
    if not promise.harmed:
        raise not_at_risk(PROMISE.format(promise_id))
    return promise.root_id


async def _grant(tx: Transaction, command: _Grant, policy: AuthorityPolicy) -> Goodwill:
    account = await account_of(tx, _PROGRAM, command.customer_id, _UNIT)
    goodwill = Goodwill(
        id=ids.uuid7(tx.now),
        customer_id=command.customer_id,
        membership_id=account.membership_id,  # type: ignore[arg-type]  # a member's has one
        program_id=_PROGRAM,
        unit_id=_UNIT,
        amount=command.amount,
        reason_code=command.reason_code,
        promise_id=command.promise_id,
        root_id=command.root_id,
        transfer_id=ids.uuid7(tx.now),
        department_id=tx.call.principal.department or None,
        authority_policy=policy.name,
        policy_version=policy.version,
        grantor=_grantor(tx),
        create_time=tx.now,
        update_time=tx.now,
    )
    await INSERT_GOODWILL.run(tx, **values(goodwill))
    granted = tx.record(goodwill.told(GoodwillGranted), version=goodwill.version)
    fund = own_account(_PROGRAM, _UNIT, AccountType.GOODWILL)
    legs = [Leg(fund, -goodwill.amount), Leg(account.name, goodwill.amount)]
    await post_transfer(
        tx,
        legs=legs,
        reason_code=goodwill.reason_code,
        transfer_id=goodwill.transfer_id,
        caused_by=granted,
    )
    return goodwill
