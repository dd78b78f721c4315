"""Goodwill above one's authority: asked for by one, approved or declined by another, once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from chassis.api.messages import value_name
from loyalty.store.tables import GET_PROMISE
from rapport.cases.v1.authority_policy_pb2 import AuthorityPolicy
from rapport.cases.v1.cases_events_pb2 import AuthorityPolicyCreated, PromiseAtRisk
from rapport.loyalty.v1.goodwill_service_pb2 import (
    ApproveGoodwillRequest,
    CheckGoodwillRequest,
    DeclineGoodwillRequest,
    ExplainGoodwillRequest,
    GetGoodwillRequest,
    ListGoodwillRequest,
    RequestGoodwillRequest,
)
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport.loyalty.v1.ledger_service_pb2 import ReverseTransferRequest
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, reason, refused
from rapport_testing.wait import eventually

from .giving import goodwill, grant, new

pytestmark = pytest.mark.together

GOODWILL = "programs/main/accounts/points-goodwill"
LEAD = "loyalty.programs.write"
MAY = ["loyalty.goodwill.read", "loyalty.goodwill.grant"]


def request(customer: str, points: int, promise: str = "", **more: Any) -> RequestGoodwillRequest:
    asked = goodwill(customer, points, promise)
    return RequestGoodwillRequest(goodwill=asked, request_id=str(uuid4()), **more)


def approve(name: str) -> ApproveGoodwillRequest:
    return ApproveGoodwillRequest(name=name, request_id=str(uuid4()))


def decline(name: str) -> DeclineGoodwillRequest:
    return DeclineGoodwillRequest(name=name, reason_code="not-our-mistake", request_id=str(uuid4()))


@pytest.fixture
async def clerk(running: Running) -> Any:
    """Alice, who may grant 500 points."""
    return running.stub(GoodwillServiceStub, MAY)


@pytest.fixture
async def lead(running: Running, clerk: Any) -> Any:
    """Bob, who may grant 2,000 points, 3,000 in a day, and approve."""
    name = "authorityPolicies/front-line"
    limits = [
        AuthorityPolicy.Limit(points=500),
        AuthorityPolicy.Limit(points=2000, rolling_day_points=3000, permission=LEAD),
    ]
    fact = AuthorityPolicyCreated(
        authority_policy=name,
        department="departments/front-desk",
        act="AUTHORITY_ACT_GOODWILL",
        limits=limits,
        version=1,
    )
    await running.deliver(fact, resource=name, source="cases")

    async def known() -> bool:
        may = await clerk.CheckGoodwill(CheckGoodwillRequest(customer=new("customers")))
        return str(may.authority_policy) == name

    await eventually(known)
    may = [*MAY, "loyalty.goodwill.approve", LEAD]
    return running.stub(GoodwillServiceStub, may, subject="agent:bob")


async def promised(running: Running, customer: str) -> str:
    promise = new("promises")
    risk = PromiseAtRisk(promise=promise, customer=customer, root=promise)
    await running.deliver(risk, resource=promise, source="cases")
    await eventually(lambda: GET_PROMISE.maybe(running.db, id=promise.partition("/")[2]))
    return promise


async def facts(running: Running, name: str) -> list[str]:
    told = [each for each in await running.published() if each.resource == name]
    return [f"{each.type.rpartition('.')[2]} {each.version}" for each in told]


async def test_what_one_may_not_grant_somebody_else_may_and_both_are_named(
    running: Running, desk: Any, clerk: Any, lead: Any
) -> None:
    customer = new("customers")
    promise = await promised(running, customer)
    assert await refused(clerk.GrantGoodwill(grant(customer, 1200, promise))) == "OVER_AUTHORITY"
    asked = await clerk.RequestGoodwill(request(customer, 1200, promise))
    assert (value_name(asked, "state"), asked.requester, asked.grantor) == ("REQUESTED", "agents/alice", "")
    assert (asked.transfer, await desk.points(GOODWILL)) == ("", [0])
    waiting = ListGoodwillRequest(filter="state = REQUESTED")
    assert list((await lead.ListGoodwill(waiting)).goodwill) == [asked]
    done = await lead.ApproveGoodwill(approve(asked.name))
    assert (value_name(done, "state"), done.requester) == ("GRANTED", "agents/alice")
    assert (done.grantor, done.decider) == ("agents/bob", "agents/bob")
    assert await desk.points(await desk.account_of(customer), GOODWILL) == [1200, -1200]
    assert not (await lead.ListGoodwill(waiting)).goodwill
    assert await facts(running, asked.name) == ["GoodwillRequested 1", "GoodwillGranted 2"]
    why = (await lead.ExplainGoodwill(ExplainGoodwillRequest(name=asked.name))).summary
    assert "by agents/bob, whom agents/alice asked" in why
    undo = ReverseTransferRequest(name=done.transfer, reason_code="mistake", request_id=str(uuid4()))
    await desk.ledger.ReverseTransfer(undo)
    assert await facts(running, asked.name) == [
        "GoodwillRequested 1",
        "GoodwillGranted 2",
        "GoodwillReversed 3",
    ]


async def test_what_one_may_grant_is_not_asked_for(clerk: Any, lead: Any) -> None:
    assert await refused(clerk.RequestGoodwill(request(new("customers"), 500))) == "WITHIN_AUTHORITY"
    assert await refused(lead.RequestGoodwill(request(new("customers"), 2000))) == "WITHIN_AUTHORITY"


async def test_nobody_approves_what_they_asked_for_nor_more_than_they_may(
    running: Running, clerk: Any, lead: Any
) -> None:
    own = await lead.RequestGoodwill(request(new("customers"), 2001))
    assert await refused(lead.ApproveGoodwill(approve(own.name))) == "OWN_REQUEST"
    asked = await clerk.RequestGoodwill(request(new("customers"), 2001))
    assert await refused(lead.ApproveGoodwill(approve(asked.name))) == "OVER_AUTHORITY"
    assert await refused(clerk.ApproveGoodwill(approve(own.name))) == "PERMISSION_DENIED"
    carol: Any = running.stub(GoodwillServiceStub, [*MAY, "loyalty.goodwill.approve"], subject="agent:carol")
    asked = await clerk.RequestGoodwill(request(new("customers"), 501))
    assert await refused(carol.ApproveGoodwill(approve(asked.name))) == "OVER_AUTHORITY"


async def test_an_approval_is_judged_by_the_harm_and_the_budget_of_its_moment(
    running: Running, clerk: Any, lead: Any
) -> None:
    customer = new("customers")
    promise = await promised(running, customer)
    asked = await clerk.RequestGoodwill(request(customer, 1000, promise))
    assert await refused(clerk.RequestGoodwill(request(customer, 900, promise))) == "GOODWILL_EXISTS"
    await clerk.GrantGoodwill(grant(customer, 500, promise))
    assert await refused(lead.ApproveGoodwill(approve(asked.name))) == "GOODWILL_EXISTS"
    other = await clerk.RequestGoodwill(request(new("customers"), 1500))
    await lead.GrantGoodwill(grant(new("customers"), 1501))
    assert await refused(lead.ApproveGoodwill(approve(other.name))) == "OVER_BUDGET"


@pytest.mark.alone("it counts all that there is")
async def test_of_many_decisions_at_once_one_counts(
    running: Running, desk: Any, clerk: Any, lead: Any
) -> None:
    customer = new("customers")
    asked = await clerk.RequestGoodwill(request(customer, 1000))
    carol: Any = running.stub(GoodwillServiceStub, [*MAY, "loyalty.goodwill.approve", LEAD], "agent:carol")
    calls = [desk.insist(who.ApproveGoodwill, approve(asked.name)) for who in (lead, carol) for _ in range(4)]
    calls += [desk.insist(lead.DeclineGoodwill, decline(asked.name)) for _ in range(2)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    lost = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert lost == ["GOODWILL_DECIDED"] * 9
    told = await facts(running, asked.name)
    assert told[0] == "GoodwillRequested 1"
    assert told[1:] in (["GoodwillGranted 2"], ["GoodwillDeclined 2"])
    granted = "GoodwillGranted 2" in told
    assert await desk.points(GOODWILL) == [-1000 if granted else 0]


@pytest.mark.alone("it counts all that there is")
async def test_approvals_at_once_stay_within_the_budget_of_who_approves(
    desk: Any, clerk: Any, lead: Any
) -> None:
    names = [(await clerk.RequestGoodwill(request(new("customers"), 1000))).name for _ in range(6)]
    calls = [desk.insist(lead.ApproveGoodwill, approve(name)) for name in names]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    errors = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert errors == ["OVER_BUDGET"] * 3
    assert await desk.points(GOODWILL) == [-3000]


async def test_what_was_declined_or_not_decided_in_time_is_over(
    running: Running, clerk: Any, lead: Any, clock: ManualClock
) -> None:
    customer = new("customers")
    promise = await promised(running, customer)
    asked = await clerk.RequestGoodwill(request(customer, 1000, promise))
    done = await lead.DeclineGoodwill(decline(asked.name))
    assert (value_name(done, "state"), done.decider) == ("DECLINED", "agents/bob")
    assert done.decision_reason_code == "not-our-mistake"
    assert await refused(lead.ApproveGoodwill(approve(asked.name))) == "GOODWILL_DECIDED"
    late = await clerk.RequestGoodwill(request(customer, 1000, promise, lifetime=Duration(seconds=3600)))
    clock.advance(timedelta(hours=1))

    async def state() -> bool:
        return value_name(await lead.GetGoodwill(GetGoodwillRequest(name=late.name)), "state") == "EXPIRED"

    assert await refused(lead.ApproveGoodwill(approve(late.name))) == "GOODWILL_DECIDED"
    await eventually(state)
    assert await facts(running, late.name) == ["GoodwillRequested 1", "GoodwillRequestExpired 2"]
    await clerk.GrantGoodwill(grant(customer, 500, promise))
