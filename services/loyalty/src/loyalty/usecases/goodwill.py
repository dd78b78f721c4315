"""Granting goodwill."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from uuid import UUID

import structlog

from chassis import ids
from chassis.db.aliases import lock_person
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from chassis.telemetry.authority import Acts
from loyalty.domain.facts import GoodwillGranted
from loyalty.domain.goodwill import Gift, GiftKind, Goodwill, InKind, Points, State
from loyalty.domain.goodwill_rule import GoodwillRule
from loyalty.domain.ledger import Account, AccountType, Leg
from loyalty.domain.program import Program, Unit
from loyalty.names import ACCOUNT, PROMISE
from loyalty.store.goodwill import INSERT_GOODWILL, UPDATE_GOODWILL
from loyalty.store.tables import INSERT_PROGRAM, INSERT_UNIT
from loyalty.usecases.accounts import open_own
from loyalty.usecases.goodwill_authority import (
    Authority,
    Judged,
    given_for_harm,
    grantor_of,
    judge,
    spent_by,
)
from loyalty.usecases.memberships import account_of, is_closed
from loyalty.usecases.posting import post_transfer

# Of people; what the policy gives by itself is no act of theirs.
GRANTS = {act: Acts(act.lower()) for act in ("GOODWILL", "REFUND", "REPLACEMENT")}
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants to give, and for which promise, if for one."""

    customer_id: UUID
    points: Points | None
    money: Decimal | None
    money_currency: str
    in_kind: InKind | None
    reason_code: str
    explanation: str
    promise_id: UUID | None


async def grant_goodwill(tx: Transaction, authority: Authority, *, goodwill: Wanted) -> Goodwill:
    """Grant what a person decided.

    InvalidArgument for what no policy grants; FailedPrecondition `OVER_AUTHORITY`, `OVER_BUDGET`,
    `CUSTOMER_MISMATCH`, `PROMISE_NOT_AT_RISK`, `NO_EXCHANGE_RATE`; NotFound for a promise that is not known
    here; AlreadyExists `GOODWILL_EXISTS`.
    """
    granted, judged = await judged_goodwill(tx, authority, goodwill)
    allow(tx, granted, judged, grantor_of(tx))
    await give(tx, granted, is_new=True)
    return granted


async def grant_for_delay(tx: Transaction, delay: Delay, authority: Authority) -> Goodwill | None:
    """Grant what the policy gives for a moved promise, up to what the whole delay so far earns.

    None when that is nothing or was given, when a person made up for it in money or in kind, or when the
    customer's membership is closed. What a person gave counts towards it and takes none of it away. In
    whatever order the moves of one thing are told, the customer has the same in the end: what the longest
    delay earns, or what the person gave if that is more.
    """
    policy = authority.policy
    names = await lock_person(tx, delay.customer_id)
    spent = await spent_by(tx, names, policy)
    given = await given_for_harm(tx, delay.root_id)
    if given.in_other_kinds:
        return None
    band = await authority.band(tx, names, tx.now)
    earned = policy.for_delay(delay.first_due, delay.new_due, delay.zone, delay.reason_code, band)
    due = earned - given.by_policy - given.by_people
    points = max(0, min(due, policy.customer_budget - spent.on_customer))
    if points < due:
        held_back, promise = due - points, PROMISE.format(delay.promise_id)
        _log.warning("a customer's budget holds goodwill back", promise=promise, points=held_back)
    gift = Gift(GiftKind.POINTS, points)
    if not points or await is_closed(tx, gift.program_id, delay.customer_id):
        return None
    goodwill = _goodwill(tx, delay.customer_id, gift, "promise-renegotiated", "", delay.promise_id)
    goodwill.root_id, goodwill.causing_id = delay.root_id, delay.department_id
    _granted_by(goodwill, policy, grantor_of(tx))
    await give(tx, goodwill, is_new=True)
    return goodwill


async def judged_goodwill(
    tx: Transaction, authority: Authority, wanted: Wanted, *, is_request: bool = False
) -> tuple[Goodwill, Judged]:
    """What a person wants to give, and what it is judged by: refused as `judge` and `Authority` refuse.

    It costs the department that has to keep the promise; the program, where that is not known.
    """
    gift = authority.gift(wanted.points, wanted.money, wanted.money_currency, wanted.in_kind)
    names = await lock_person(tx, wanted.customer_id)
    judged = await judge(tx, authority, gift, names, wanted.promise_id, is_request=is_request)
    why = wanted.reason_code, wanted.explanation, wanted.promise_id
    goodwill = _goodwill(tx, wanted.customer_id, gift, *why)
    await authority.convert(tx, goodwill)
    if judged.promise:
        goodwill.root_id, goodwill.causing_id = judged.promise.root_id, judged.promise.department_id
    return goodwill, judged


def allow(tx: Transaction, goodwill: Goodwill, judged: Judged, grantor: str) -> None:
    """Let it be granted by what was judged. FailedPrecondition `OVER_AUTHORITY`, `OVER_BUDGET`."""
    with GRANTS[goodwill.kind.act].judged(goodwill.counted, tx.after_commit):
        judged.policy.authorize(goodwill.counted, judged.band)
        judged.policy.within_budget(goodwill.counted, judged.spent)
    _granted_by(goodwill, judged.policy, grantor)


def _granted_by(goodwill: Goodwill, policy: GoodwillRule, grantor: str) -> None:
    goodwill.authority_policy, goodwill.policy_version = policy.name, policy.version
    goodwill.grantor = grantor


def _goodwill(
    tx: Transaction,
    customer_id: UUID,
    gift: Gift,
    reason_code: str,
    explanation: str,
    promise_id: UUID | None,
) -> Goodwill:
    return Goodwill(
        id=ids.uuid7(tx.now),
        customer_id=customer_id,
        membership_id=None,
        program_id=gift.program_id,
        unit_id=gift.unit_id,
        amount=gift.amount,
        reason_code=reason_code,
        promise_id=promise_id,
        root_id=None,
        transfer_id=None,
        department_id=tx.call.principal.department or None,
        authority_policy="",
        policy_version=0,
        grantor="",
        create_time=tx.now,
        update_time=tx.now,
        kind=gift.kind,
        currency_code=gift.currency_code,
        gift_reference=gift.reference,
        explanation=explanation,
    )


async def give(tx: Transaction, goodwill: Goodwill, *, is_new: bool) -> None:
    """Book it on the department that caused it, and tell of it; it `is_new`, or was asked for before."""
    goodwill.state, goodwill.transfer_id = State.GRANTED, ids.uuid7(tx.now)
    into = await _getter(tx, goodwill)
    await (INSERT_GOODWILL if is_new else UPDATE_GOODWILL).run(tx, **values(goodwill))
    fact = fact_of(GoodwillGranted, goodwill, **goodwill.told | {"create_time": tx.now})
    granted = tx.record(fact, version=goodwill.version)
    at = goodwill.program_id, goodwill.unit_id, AccountType.GOODWILL, tx.now
    fund = Account.of_program(*at, goodwill.causing_id or "")
    if ACCOUNT.match(fund.name) is None:  # too long with that department's code
        fund = Account.of_program(*at)
    await open_own(tx, [fund])
    legs = [Leg(fund.name, -goodwill.amount), Leg(into, goodwill.amount)]
    await post_transfer(
        tx,
        legs=legs,
        reason_code=goodwill.reason_code,
        transfer_id=goodwill.transfer_id,
        caused_by=granted,
    )


async def _getter(tx: Transaction, goodwill: Goodwill) -> str:
    """The account that gets it: the customer's of points; of all else what was given away."""
    if goodwill.gift.is_points:
        account = await account_of(tx, goodwill.program_id, goodwill.customer_id, goodwill.unit_id)
        goodwill.membership_id = account.membership_id
        return account.name
    program_id, unit_id = goodwill.program_id, goodwill.unit_id
    await INSERT_PROGRAM.maybe(tx, **values(Program(program_id, "Goodwill", 1, tx.now, tx.now, "UTC")))
    unit = Unit(program_id, unit_id, goodwill.currency_code, 1, tx.now, tx.now)
    await INSERT_UNIT.maybe(tx, **values(unit))
    given = Account.of_program(program_id, unit_id, AccountType.REDEEMED, tx.now)
    await open_own(tx, [given])
    return given.name
