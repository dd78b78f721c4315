"""What somebody may grant, and judging by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from chassis.api.actors import actor_name
from chassis.authority import authority
from chassis.context import Principal
from chassis.db.aliases import groups_of
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAME, Executor
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, invalid
from loyalty.domain.front_line import Harm
from loyalty.domain.goodwill import (
    COSTLY,
    IN_KIND,
    Gift,
    GiftKind,
    Given,
    Goodwill,
    InKind,
    KnownPromise,
    Points,
)
from loyalty.domain.goodwill_rule import Allowance, GoodwillRule, MoneyAllowance, Spent
from loyalty.domain.value import Band, ValueFormula
from loyalty.names import PROMISE, UNIT
from loyalty.store.front_line import HARM_OF_PROMISE, POLICIES_FOR
from loyalty.store.goodwill import GIVEN, SPENT
from loyalty.store.tables import GET_PROMISE
from loyalty.usecases.bands import worth_of
from loyalty.usecases.values import rates_to

GRANTED = UNIT.format("main", "points")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """What decides how much may be granted: in points, and in money or in kind."""

    policy: GoodwillRule
    money: GoodwillRule
    formula: ValueFormula

    async def band(self, on: Executor, names: Sequence[UUID], at: datetime) -> Band:
        """The value band at a time of the customer who has these names."""
        [worth] = await worth_of(on, self.formula, [names], at)
        return worth.band

    async def of_person(
        self, on: Executor, principal: Principal, band: Band, promise_id: UUID | None, kind: GiftKind
    ) -> GoodwillRule:
        """What a person may grant for what was promised, or for nothing in particular.

        Without a policy of their department or of the platform as the settings say.
        """
        told = await HARM_OF_PROMISE.maybe(on, id=promise_id) if promise_id else None
        harm = told.harm if told else Harm.NONE
        rule = self.policy if kind is GiftKind.POINTS else self.money
        policies = await POLICIES_FOR.all(on, department_id=principal.department, act=kind.act)
        known = [each.only_in(rule.currency_code) for each in policies]
        return rule.told_by(authority(known, principal, band, harm))

    def gift(
        self,
        points: Points | None,
        money: Decimal | None,
        money_currency: str,
        in_kind: InKind | None,
    ) -> Gift:
        """What is to be given, of which one is there. InvalidArgument for what no policy grants."""
        if points is not None:
            if points.unit not in ("", GRANTED):
                told = f"must be {GRANTED}, what the policy grants"
                raise invalid("goodwill.points.unit", "INVALID_NAME", told)
            return Gift(GiftKind.POINTS, points.amount)
        if in_kind is not None:
            return Gift.of_money(in_kind.kind, in_kind.cost, in_kind.cost_currency, in_kind.reference)
        if money is None:
            raise invalid("goodwill.points", "REQUIRED", "must be given, or money, or in_kind")
        return Gift.of_money(GiftKind.MONEY, money, money_currency)

    async def convert(self, tx: Transaction, goodwill: Goodwill) -> None:
        """Have money in another currency count in that of the budgets, by the rate of now.

        FailedPrecondition `NO_EXCHANGE_RATE`.
        """
        of, to = goodwill.currency_code, self.money.currency_code
        if of and of != to:
            goodwill.convert(to, (await rates_to(tx, to, {of}, tx.now)).get(of))


class Judged(NamedTuple):
    """What a grant is judged by, its amount not yet."""

    policy: GoodwillRule
    band: Band
    spent: Spent
    promise: KnownPromise | None


async def judge(
    tx: Transaction,
    authority: Authority,
    gift: Gift,
    names: Sequence[UUID],
    promise_id: UUID | None,
    *,
    is_request: bool = False,
) -> Judged:
    """What whoever calls may grant a person who is locked, whose budget and theirs nobody spends meanwhile.

    NotFound for a promise that is not known; FailedPrecondition and AlreadyExists as `KnownPromise.check`.
    """
    rule = authority.policy if gift.is_points else authority.money
    spent = await spent_by(tx, names, rule, gift.kind, grantor_of(tx))
    promise = await _promise(tx, promise_id, names, is_request) if promise_id else None
    band = await authority.band(tx, names, tx.now)
    policy = await authority.of_person(tx, tx.call.principal, band, promise_id, gift.kind)
    return Judged(policy, band, spent, promise)


async def assess(
    db: Database, authority: Authority, principal: Principal, customer_id: UUID, promise_id: UUID | None
) -> "Assessed":
    """What somebody may still grant a customer. Nothing is locked: others may grant meanwhile."""
    grantor, now = actor_name(principal.subject, db.service), db.clock.now()
    names = (await groups_of(db, [customer_id])).everybody
    band = await authority.band(db, names, now)

    async def left(kind: GiftKind) -> Allowance:
        policy = await authority.of_person(db, principal, band, promise_id, kind)
        times = {"since": now - policy.budget_period, "day_ago": now - _DAY}
        spent = await SPENT.one(db, customer_ids=names, grantor=grantor, **times, **_counted(policy, kind))
        return policy.allowance(band, spent)

    currency = authority.money.currency_code
    money, in_kind = await left(GiftKind.MONEY), await left(GiftKind.ITEM)
    return Assessed(await left(GiftKind.POINTS), money.in_money(currency), in_kind.in_money(currency))


class Assessed(NamedTuple):
    """What somebody may still grant, by kind."""

    points: Allowance
    money: MoneyAllowance
    in_kind: MoneyAllowance


async def given_for_harm(tx: Transaction, root_id: UUID) -> Given:
    """What a chain was given so far. Read under the lock of the customer's budget: nobody adds to it."""
    return await GIVEN.one(tx, root_id=root_id, policy=f"services/{tx.db.service}")


async def spent_by(
    tx: Transaction,
    names: Sequence[UUID],
    policy: GoodwillRule,
    kind: GiftKind = GiftKind.POINTS,
    grantor: str = "",
) -> Spent:
    """What was granted a person who is locked within the budget period; nobody adds to it meanwhile.

    The policy has no budget of a grantor: its grants, all by the service, do not wait for each other.
    """
    if grantor:
        await LOCK_NAME.run(tx, name=grantor)
    times = {"since": tx.now - policy.budget_period, "day_ago": tx.now - _DAY}
    return await SPENT.one(tx, customer_ids=names, grantor=grantor, **times, **_counted(policy, kind))


def grantor_of(tx: Transaction) -> str:
    """Whoever calls."""
    return actor_name(tx.call.principal.subject, tx.db.service)


def _counted(policy: GoodwillRule, kind: GiftKind) -> dict[str, object]:
    """What counts against the budgets: points; or all that costs money, within a day of the same act."""
    if kind is GiftKind.POINTS:
        return {"kinds": [kind], "day_kinds": [kind], "currency_code": ""}
    day_kinds = [kind] if kind is GiftKind.MONEY else list(IN_KIND)
    return {"kinds": list(COSTLY), "day_kinds": day_kinds, "currency_code": policy.currency_code}


async def _promise(
    tx: Transaction, promise_id: UUID, names: Sequence[UUID], is_request: bool
) -> KnownPromise:
    """A promise that a person may make up for to the customer."""
    promise = await GET_PROMISE.maybe(tx, id=promise_id)
    if promise is None:
        name = PROMISE.format(promise_id)
        refusal = NotFound(name, f"{name} is not known here; the news of a new one takes a moment.")
        refusal.retry_after_s = 1
        raise refusal
    promise.check(names, await given_for_harm(tx, promise.root_id), is_request=is_request)
    return promise
