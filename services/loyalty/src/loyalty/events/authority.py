"""What the cases service tells of who may grant how much, and of how much a case harms its customer."""

from typing import Any

from chassis.api.messages import value_name
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from loyalty.domain.front_line import CaseHarm, FrontLinePolicy, Harm, Limit
from loyalty.names import AUTHORITY_POLICY, CASE, DEPARTMENT
from loyalty.store.front_line import PUT_CASE_HARM, PUT_POLICY
from rapport.cases.v1.authority_policy_pb2 import AUTHORITY_ACT_GOODWILL
from rapport.cases.v1.cases_events_pb2 import (
    AuthorityPolicyCreated,
    AuthorityPolicyUpdated,
    CaseOpened,
    CaseUpdated,
)


async def on_policy(tx: Transaction, event: Event[AuthorityPolicyCreated | AuthorityPolicyUpdated]) -> None:
    """Keep a policy of goodwill, unless a newer version is known."""
    told = event.data
    if told.act != AUTHORITY_ACT_GOODWILL:
        return
    policy = FrontLinePolicy(
        id=AUTHORITY_POLICY.parse(told.authority_policy)[0],
        version=told.version,
        department_id=DEPARTMENT.parse(told.department)[0],
        disabled=told.disabled,
        update_time=tx.now,
        limits=[
            Limit(
                each.permission,
                _least(each, "least_band"),
                _least(each, "least_harm"),
                each.points,
                each.rolling_day_points,
            )
            for each in told.limits
        ],
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


def _least(limit: Any, field: str) -> str:
    """The least band or harm of a limit; its number if only a later release knows it, not "" for all."""
    return value_name(limit, field) or str(getattr(limit, field) or "")
