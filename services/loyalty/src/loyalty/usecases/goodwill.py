"""Granting goodwill."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from uuid import UUID

import structlog

from chassis import ids
from chassis.api.actors import actor_name
from chassis.authority import authority
from chassis.context import Principal
from chassis.db.aliases import groups_of, lock_person
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAME, Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, invalid
from chassis.facts import fact_of
from chassis.telemetry.authority import Acts
from loyalty.domain.facts import GoodwillGranted
from loyalty.domain.front_line import Harm
from loyalty.domain.goodwill import Allowance, Given, Goodwill, GoodwillRule, KnownPromise, Points, Spent
from loyalty.domain.ledger import Account, AccountType, Leg
from loyalty.domain.value import Band, ValueFormula
from loyalty.names import ACCOUNT, PROMISE, UNIT
from loyalty.store.front_line import HARM_OF_PROMISE, POLICIES_FOR
from loyalty.store.purchases import VALUES_OF
from loyalty.store.tables import GET_PROMISE, GIVEN, INSERT_GOODWILL, SPENT
from loyalty.usecases.ledger import open_own
from loyalty.usecases.memberships import account_of
from loyalty.usecases.posting import post_transfer
from loyalty.usecases.values import rates_for

# What the policy grants.
_PROGRAM, _UNIT = "main", "points"
_GRANTED = UNIT.format(_PROGRAM, _UNIT)

GRANTS = Acts("goodwill")  # of people; what the policy gives by itself is no act of theirs
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Delay:
    """A promise was moved, and the customer knows.

    `department_id` has to keep it. `first_due` is what the whole delay counts from; `zone` is the customer's:
    days are counted there.
    """

    customer_id: UUID
    promise_id: UUID
    root_id: UUID
    first_due: datetime
    new_due: datetime
    zone: tzinfo
    reason_code: str
    department_id: str | None


_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """What decides how much may be granted."""

    policy: GoodwillRule
    formula: ValueFormula

    async def band(self, on: Executor, names: Sequence[UUID], at: datetime) -> Band:
        """The value band at a time of the customer who has these names."""
        values = await VALUES_OF.all(on, customer_ids=names)
        return self.formula.band(*values, rates=await rates_for(on, self.formula, values, at))

    async def of_person(
        self, on: Executor, principal: Principal, band: Band, promise_id: UUID | None
    ) -> GoodwillRule:
        """What a person may grant for what was promised, or for nothing in particular.

        Without a policy of their department or of the platform as the settings say.
        """
        policies = await POLICIES_FOR.all(on, department_id=principal.department)
        harm = await HARM_OF_PROMISE.maybe(on, id=promise_id) if promise_id else None
        return self.policy.told_by(authority(policies, principal, band, harm.harm if harm else Harm.NONE))


async def assess(
    db: Database, authority: Authority, principal: Principal, customer_id: UUID, promise_id: UUID | None
) -> Allowance:
    """What somebody may still grant a customer. Nothing is locked: others may grant meanwhile."""
    grantor, now = actor_name(principal.subject, db.service), db.clock.now()
    names = (await groups_of(db, [customer_id])).everybody
    band = await authority.band(db, names, now)
    policy = await authority.of_person(db, principal, band, promise_id)
    times = {"since": now - policy.budget_period, "day_ago": now - _DAY}
    spent = await SPENT.one(db, customer_ids=names, grantor=grantor, **times)
    return policy.allowance(band, spent)


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
    if points.unit not in ("", _GRANTED):
        raise invalid("goodwill.points.unit", "INVALID_NAME", f"must be {_GRANTED}, what the policy grants")
    names = await lock_person(tx, customer_id)
    spent = await _spent(tx, names, authority.policy, _grantor(tx))
    promise = await _promise(tx, promise_id, names) if promise_id else None
    band = await authority.band(tx, names, tx.now)
    policy = await authority.of_person(tx, tx.call.principal, band, promise_id)
    with GRANTS.judged(points.amount, tx.after_commit):
        policy.authorize(points.amount, band)
        policy.within_budget(points.amount, spent)
    root_id, causing = (promise.root_id, promise.department_id) if promise else (None, None)
    return await _grant(tx, policy, customer_id, points.amount, reason_code, promise_id, root_id, causing)


async def grant_for_delay(tx: Transaction, delay: Delay, authority: Authority) -> Goodwill | None:
    """Grant what the policy gives for a moved promise, up to what the whole delay so far earns.

    None when that is nothing or was given. What a person gave counts towards it and takes none of it away. In
    whatever order the moves of one thing are told, the customer has the same in the end: what the longest
    delay earns, or what the person gave if that is more.
    """
    policy = authority.policy
    names = await lock_person(tx, delay.customer_id)
    spent = await _spent(tx, names, policy)
    given = await _given(tx, delay.root_id)
    band = await authority.band(tx, names, tx.now)
    earned = policy.for_delay(delay.first_due, delay.new_due, delay.zone, delay.reason_code, band)
    due = earned - given.by_policy - given.by_people
    points = max(0, min(due, policy.customer_budget - spent.on_customer))
    if points < due:
        held_back, promise = due - points, PROMISE.format(delay.promise_id)
        _log.warning("a customer's budget holds goodwill back", promise=promise, points=held_back)
    if not points:
        return None
    moved = delay.promise_id, delay.root_id, delay.department_id
    return await _grant(tx, policy, delay.customer_id, points, "promise-renegotiated", *moved)


async def _given(tx: Transaction, root_id: UUID) -> Given:
    """What a chain was given so far. Read under the lock of the customer's budget: nobody adds to it."""
    return await GIVEN.one(tx, root_id=root_id, policy=f"services/{tx.db.service}")


async def _spent(tx: Transaction, names: Sequence[UUID], policy: GoodwillRule, grantor: str = "") -> Spent:
    """What was granted a person who is locked within the budget period; nobody adds to it meanwhile.

    The policy has no budget of a grantor: its grants, all by the service, do not wait for each other.
    """
    if grantor:
        await LOCK_NAME.run(tx, name=grantor)
    times = {"since": tx.now - policy.budget_period, "day_ago": tx.now - _DAY}
    return await SPENT.one(tx, customer_ids=names, grantor=grantor, **times)


def _grantor(tx: Transaction) -> str:
    return actor_name(tx.call.principal.subject, tx.db.service)


async def _promise(tx: Transaction, promise_id: UUID, names: Sequence[UUID]) -> KnownPromise:
    """A promise that a person may make up for to the customer."""
    promise = await GET_PROMISE.maybe(tx, id=promise_id)
    if promise is None:
        name = PROMISE.format(promise_id)
        refusal = NotFound(name, f"{name} is not known here; the news of a new one takes a moment.")
        refusal.retry_after_s = 1
        raise refusal
    promise.check(names, await _given(tx, promise.root_id))
    return promise


async def _grant(
    tx: Transaction,
    policy: GoodwillRule,
    customer_id: UUID,
    amount: int,
    reason_code: str,
    promise_id: UUID | None,
    root_id: UUID | None,
    causing_id: str | None,
) -> Goodwill:
    """Give something to a customer for one harm, that of the promise's chain if a promise is named.

    It costs the department that has to keep the promise; the program, where that is not known.
    """
    account = await account_of(tx, _PROGRAM, customer_id, _UNIT)
    goodwill = Goodwill(
        id=ids.uuid7(tx.now),
        customer_id=customer_id,
        membership_id=account.membership_id,  # type: ignore[arg-type]  # a member's has one
        program_id=_PROGRAM,
        unit_id=_UNIT,
        amount=amount,
        reason_code=reason_code,
        promise_id=promise_id,
        root_id=root_id,
        transfer_id=ids.uuid7(tx.now),
        department_id=tx.call.principal.department or None,
        authority_policy=policy.name,
        policy_version=policy.version,
        grantor=_grantor(tx),
        create_time=tx.now,
        update_time=tx.now,
    )
    await INSERT_GOODWILL.run(tx, **values(goodwill))
    granted = tx.record(fact_of(GoodwillGranted, goodwill, points=amount), version=goodwill.version)
    fund = Account.of_program(_PROGRAM, _UNIT, AccountType.GOODWILL, tx.now, causing_id or "")
    if ACCOUNT.match(fund.name) is None:  # too long with that department's code
        fund = Account.of_program(_PROGRAM, _UNIT, AccountType.GOODWILL, tx.now)
    await open_own(tx, [fund])
    legs = [Leg(fund.name, -goodwill.amount), Leg(account.name, goodwill.amount)]
    await post_transfer(
        tx, legs=legs, reason_code=reason_code, transfer_id=goodwill.transfer_id, caused_by=granted
    )
    return goodwill
