"""What the cases service tells of who may grant how much, and of how much a case harms its customer."""

from typing import Any

from chassis.api.messages import decimal, value_name
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.money import Currency
from loyalty.domain.front_line import CaseHarm, FrontLinePolicy, Harm, Limit
from loyalty.names import AUTHORITY_POLICY, CASE, DEPARTMENT
from loyalty.store.front_line import PUT_CASE_HARM, PUT_POLICY
from rapport.cases.v1.authority_policy_pb2 import AuthorityPolicy
from rapport.cases.v1.cases_events_pb2 import (
    AuthorityPolicyCreated,
    AuthorityPolicyUpdated,
    CaseOpened,
    CaseUpdated,
)

_ACTS = ("GOODWILL", "REFUND", "REPLACEMENT")


async def on_policy(tx: Transaction, event: Event[AuthorityPolicyCreated | AuthorityPolicyUpdated]) -> None:
    """Keep a policy of goodwill, unless a newer version is known."""
    told = event.data
    act = value_name(told, "act")
    if act not in _ACTS:
        return
    policy = FrontLinePolicy(
        id=AUTHORITY_POLICY.parse(told.authority_policy)[0],
        version=told.version,
        department_id=DEPARTMENT.parse(told.department)[0],
        disabled=told.disabled,
        update_time=tx.now,
        limits=[_limit(each) for each in told.limits],
        act=act,
    )
    await PUT_POLICY.run(tx, **values(policy))


async def on_harm(tx: Transaction, event: Event[CaseOpened | CaseUpdated]) -> None:
    """Keep how much a case harms its customer, unless something newer is known.

    An event of a release that did not say it says nothing of it.
    """
    if not event.data.harm:
        return
    (case_id,) = CASE.parse(event.data.case)
    harm = Harm.__members__.get(value_name(event.data, "harm"), Harm.NONE)
    await PUT_CASE_HARM.run(tx, **values(CaseHarm(case_id, harm, event.resource_version)))


def _limit(sent: AuthorityPolicy.Limit) -> Limit:
    """A limit in points, or in the smallest unit of a currency."""
    return Limit(
        sent.permission,
        _least(sent, "least_band"),
        _least(sent, "least_harm"),
        sent.points or _smallest(sent.money),
        sent.rolling_day_points or _smallest(sent.rolling_day_money),
        sent.money.currency_code,
    )


def _smallest(money: Any) -> int:
    """An amount in the smallest unit of its currency; 0 of none that is said."""
    return Currency.of(money.currency_code).smallest(decimal(money)) if money.currency_code else 0


def _least(limit: Any, field: str) -> str:
    """The least band or harm of a limit; its number if only a later release knows it, not "" for all."""
    return value_name(limit, field) or str(getattr(limit, field) or "")
