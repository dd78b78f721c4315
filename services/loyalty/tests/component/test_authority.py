"""People grant what the policies of cases allow them; without one, what the settings do."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
import sqlalchemy as sa

from chassis.db.statement import Statement
from loyalty.store.front_line import POLICIES
from rapport.cases.v1.authority_policy_pb2 import (
    AUTHORITY_ACT_GOODWILL,
    AuthorityPolicy,
)
from rapport.cases.v1.cases_events_pb2 import (
    AuthorityPolicyCreated,
    AuthorityPolicyUpdated,
    CaseOpened,
    CaseUpdated,
    PromiseAtRisk,
)
from rapport.common.v1.states_pb2 import HARM_INCONVENIENCE, HARM_LOSS
from rapport.common.v1.value_band_pb2 import VALUE_BAND_PLATINUM
from rapport.loyalty.v1.goodwill_service_pb2 import CheckGoodwillRequest
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, reason
from rapport_testing.wait import eventually

from .giving import grant, new

NAME = "authorityPolicies/front-line"
ALL = Statement[Any](sa.select(POLICIES))


def limit(points: int, **fields: Any) -> AuthorityPolicy.Limit:
    return AuthorityPolicy.Limit(points=points, **fields)


async def allowed(desk: Any, customer: str, promise: str = "") -> tuple[int, int, str, int]:
    may = await desk.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=customer, promise=promise))
    return may.limit, may.grantor_left, may.authority_policy, may.policy_version


@pytest.fixture
def tell(running: Running) -> Any:
    """Tells of a policy, and waits until it is known."""

    async def told(*limits: Any, version: int = 1, disabled: bool = False) -> None:
        kind = AuthorityPolicyCreated if version == 1 else AuthorityPolicyUpdated
        fact = kind(
            authority_policy=NAME,
            department="departments/front-desk",
            act=AUTHORITY_ACT_GOODWILL,
            limits=limits,
            disabled=disabled,
            version=version,
        )
        await running.deliver(fact, resource=NAME, version=version, source="cases")

        async def known() -> bool:
            policies = await ALL.all(running.db)
            return any(each["version"] >= version for each in policies)

        await eventually(known)

    return told


async def test_without_a_policy_the_settings_hold_and_with_one_that(
    running: Running, desk: Any, tell: Any
) -> None:
    customer = new("customers")
    assert await allowed(desk, customer) == (500, 20_000, "goodwillRules/delay", 1)
    await tell(limit(800, rolling_day_points=1000))
    assert await allowed(desk, customer) == (800, 1000, NAME, 1)
    granted = await desk.goodwill.GrantGoodwill(grant(customer, 800))
    assert (granted.authority_policy, granted.policy_version) == (NAME, 1)
    await tell(limit(700), version=2, disabled=True)
    assert await allowed(desk, customer) == (500, 19_200, "goodwillRules/delay", 1)


async def test_news_that_comes_late_is_not_taken_for_new(desk: Any, tell: Any) -> None:
    customer = new("customers")
    await tell(limit(800), version=2)
    await tell(limit(900), version=1)
    assert (await allowed(desk, customer))[0] == 800
    await tell(limit(700), version=3)
    assert (await allowed(desk, customer))[0] == 700


async def test_a_role_is_a_permission_of_the_token_and_nothing_is_granted_where_no_limit_holds(
    running: Running, desk: Any, tell: Any
) -> None:
    await tell(limit(900, permission="loyalty.programs.write"), limit(950, least_band=VALUE_BAND_PLATINUM))
    clerk: Any = running.stub(GoodwillServiceStub, ["loyalty.goodwill.grant"])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await clerk.GrantGoodwill(grant(new("customers"), 1))
    assert reason(refused.value) == "OVER_AUTHORITY"
    await desk.goodwill.GrantGoodwill(grant(new("customers"), 900))


async def test_a_band_that_only_a_later_release_knows_is_not_for_all(desk: Any, tell: Any) -> None:
    await tell(limit(900, least_band=99), limit(100))
    assert (await allowed(desk, new("customers")))[0] == 100


async def test_the_harm_of_a_promises_case_counts(running: Running, desk: Any, tell: Any) -> None:
    await tell(limit(100), limit(900, least_harm=HARM_LOSS))
    customer, promise, case = new("customers"), new("promises"), new("cases")
    risk = PromiseAtRisk(promise=promise, customer=customer, root=promise, case=case)
    await running.deliver(risk, resource=promise, source="cases")
    opened = CaseOpened(case=case, customer=customer, harm=HARM_INCONVENIENCE)
    await running.deliver(opened, resource=case, source="cases")
    updated = CaseUpdated(case=case, customer=customer, harm=HARM_LOSS)
    await running.deliver(updated, resource=case, version=2, source="cases")

    async def known() -> bool:
        return (await allowed(desk, customer, promise))[0] == 900

    await eventually(known)
    silent = CaseUpdated(case=case, customer=customer)  # as the release before tells it
    await running.deliver(silent, resource=case, version=3, source="cases")
    await tell(limit(200), limit(900, least_harm=HARM_LOSS), version=2)
    assert (await allowed(desk, customer))[0] == 200
    assert (await allowed(desk, customer, promise))[0] == 900
    granted = await desk.goodwill.GrantGoodwill(grant(customer, 900, promise))
    assert granted.points.amount == 900


async def test_many_grants_at_once_stay_within_the_budget_of_the_day(
    desk: Any, tell: Any, clock: ManualClock
) -> None:
    await tell(limit(500, rolling_day_points=2000))
    customers = [new("customers") for _ in range(8)]
    calls = [desk.insist(desk.goodwill.GrantGoodwill, grant(each, 500)) for each in customers]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    errors = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert errors == ["OVER_BUDGET"] * 4
    assert await desk.points("programs/main/accounts/points-goodwill") == [-2000]
    assert (await allowed(desk, customers[0]))[:2] == (500, 0)
    clock.advance(timedelta(days=1))
    assert (await allowed(desk, customers[0]))[:2] == (500, 2000)
