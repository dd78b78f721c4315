"""Work that nobody has is put into another lane of its department's queue."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import grpc
import pytest

from rapport.cases.v1.queue_service_pb2 import GetQueueRequest, TakeNextWorkRequest
from rapport.cases.v1.work_item_service_pb2 import RouteWorkItemRequest
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport_testing.running import reason
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

DELIVERY, BILLING = "departments/delivery", "departments/billing"


async def taken(desk, agent):
    """The work that an agent is given; empty: none."""
    answer = await desk.queue.TakeNextWork(TakeNextWorkRequest(name=agent))
    return answer.work.work_item.name


async def waiting(desk, team=""):
    queue = await desk.queue.GetQueue(GetQueueRequest(name=f"{DELIVERY}/queue", team=team))
    return queue.waiting_count


@pytest.fixture
async def item(desk):
    """Delivery's work that needs a skill which nobody has."""
    return await desk.add((await desk.open()).name, required_skills=["magic"])


async def test_work_that_nobody_can_do_goes_to_a_team_that_can(desk, item):
    team = await desk.team("returns")
    bob = await desk.agent("agents/bob", DELIVERY, teams=[team])
    assert await taken(desk, bob) == ""
    routed = await desk.item("Route", item.name, team=team)
    assert (routed.team, list(routed.required_skills)) == (team, [])
    assert await waiting(desk, team) == 1
    assert await taken(desk, bob) == item.name
    [updated] = await desk.facts("WorkItemUpdated")
    assert sorted(updated.data.updated_fields) == ["required_skills", "team"]


@pytest.mark.alone("it moves the clock")
async def test_it_has_waited_as_long_as_it_had_and_for_a_language_no_longer(desk, item):
    """The half hour of who speaks it began when the work came."""
    ann = await desk.agent("agents/ann", DELIVERY, language_codes=["de"])
    fresh = await desk.item("Route", (await desk.add(item.case)).name, language_code="fi")
    assert await taken(desk, ann) == ""
    desk.clock.advance(timedelta(hours=1))
    await desk.item("Route", item.name, language_code="fi")
    assert await taken(desk, ann) == item.name

    async def opened():
        return await taken(desk, ann) == fresh.name

    assert await eventually(opened)


async def test_what_is_routed_as_it_is_stays_as_it_is(desk, item):
    again = await desk.item("Route", item.name, required_skills=["magic", "magic"])
    assert again.etag == item.etag
    assert await desk.facts("WorkItemUpdated") == []


async def test_what_somebody_has_is_theirs_until_it_is_put_back(desk, item, refused):
    bob = await desk.agent("agents/bob", DELIVERY)
    await desk.item("Assign", item.name, assignee=bob)
    assert await refused(desk.item("Route", item.name)) == "FAILED_PRECONDITION WORK_ITEM_TAKEN"
    await desk.item("Assign", item.name)
    assert list((await desk.item("Route", item.name)).required_skills) == []
    await desk.item("Finish", item.name)
    assert await refused(desk.item("Route", item.name)) == "FAILED_PRECONDITION WORK_ITEM_FINISHED"


async def test_only_its_department_routes_it_to_a_team_of_its_own(desk, item, refused):
    """Who answers for the case hands work over; who does it is its department's."""
    writes = ["cases.work_items.write"]
    front = desk.running.stub(WorkItemServiceStub, writes, "agent:alice", "front-desk")
    assert (
        await refused(front.RouteWorkItem(RouteWorkItemRequest(name=item.name)))
        == "PERMISSION_DENIED NOT_OWNER"
    )
    theirs = desk.running.stub(WorkItemServiceStub, writes, "agent:bob", "delivery")
    team = await desk.team("tax", department=BILLING)
    request = RouteWorkItemRequest(name=item.name, team=team)
    assert await refused(theirs.RouteWorkItem(request)) == "FAILED_PRECONDITION TEAM_MISMATCH"
    assert await refused(desk.item("Route", item.name, team="teams/none")) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert list((await theirs.RouteWorkItem(RouteWorkItemRequest(name=item.name))).required_skills) == []


@pytest.mark.alone("what it makes is there once")
async def test_who_takes_it_and_who_routes_it_at_once_agree(desk):
    """Twenty pieces of work: each is taken and was not routed since, or is routed and waits for the team."""
    team = await desk.team("returns")
    agents = [await desk.agent(f"agents/a{n}", DELIVERY, capacity=5) for n in range(4)]
    items = [await desk.add((await desk.open()).name, reference=f"orders/{uuid4()}") for _ in range(20)]

    takes = (taken(desk, agent) for agent in agents for _ in range(5))
    routes = (desk.item("Route", each.name, team=team) for each in items)
    answers = await asyncio.gather(*takes, *routes, return_exceptions=True)
    refusals = [each for each in answers[20:] if isinstance(each, grpc.aio.AioRpcError)]
    assert {reason(each) for each in refusals} <= {"WORK_ITEM_TAKEN"}
    given = {*answers[:20]} - {""}
    routed = {each.name for each in answers[20:] if each not in refusals}
    assert not given & routed
    assert await waiting(desk, team) == len(routed)
    left = 20 - len(given) - len(routed)
    assert await waiting(desk) == len(routed) + left
    assert left == 0
