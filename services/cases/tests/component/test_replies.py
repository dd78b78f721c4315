"""A customer who writes about a resolved case is heard, and a thank-you makes nobody late."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from rapport.cases.v1.case_service_pb2 import (
    GetCaseRequest,
    ListCasesRequest,
    MergeCasesRequest,
    ReopenCaseRequest,
    ResolveCaseRequest,
)
from rapport.cases.v1.clock_service_pb2 import ListClocksRequest, ReconcileClocksRequest
from rapport.cases.v1.queue_service_pb2 import TakeNextWorkRequest
from rapport.cases.v1.topic_pb2 import Topic
from rapport.cases.v1.topic_service_pb2 import CreateTopicRequest
from rapport.cases.v1.topic_service_pb2_grpc import TopicServiceStub
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import FinishWorkItemRequest, ListWorkItemsRequest
from rapport.common.v1.states_pb2 import CASE_STATE_RESOLVED
from rapport.customer.v1.customer_events_pb2 import RelationshipManagerAssigned

DAY = timedelta(days=1)
OF_WORK = f"workItems/{UUID(int=0)}"  # the page at which work without clocks is looked for


@pytest.fixture
async def case(desk):
    """A resolved case of the front desk's, where everything has an hour."""
    await desk.keep_times("FIRST_RESPONSE", "NEXT_RESPONSE", "RESOLUTION", "SILENCE")
    await desk.keep_times("RESOLUTION", subject="WORK_ITEM")
    return await resolved(desk)


async def resolved(desk, **said):
    opened = await desk.open(**said)
    await desk.cases.ResolveCase(ResolveCaseRequest(name=opened.name, resolution="settled"))
    return opened.name


async def replies(desk, case):
    """The work to look at what the customer said of a case: the state of each, the oldest first."""
    request = ListWorkItemsRequest(filter=f'case = "{case}" AND kind = "customer-reply"')
    return (await desk.work_items.ListWorkItems(request)).work_items


async def states(desk, case):
    return [WorkItem.State.Name(each.state).removeprefix("STATE_") for each in await replies(desk, case)]


async def test_who_writes_after_it_was_resolved_is_in_the_queue_of_who_answers_for_the_case(desk, case):
    await desk.contacted(case)
    [reply] = await replies(desk, case)
    assert (reply.department, reply.kind) == ("departments/front-desk", "customer-reply")
    assert reply.state == WorkItem.STATE_PENDING
    agent = await desk.agent("agents/bob")
    taken = await desk.queue.TakeNextWork(TakeNextWorkRequest(name=agent))
    assert taken.work.work_item.name == reply.name
    [created] = await desk.facts("WorkItemCreated")
    assert (created.data.work_item, created.data.kind) == (reply.name, "customer-reply")


async def test_a_thank_you_is_ended_by_one_call_and_no_clock_ran_for_it(desk, case):
    await desk.contacted(case)
    [reply] = await replies(desk, case)
    desk.clock.advance(DAY)
    clocks = (await desk.clocks.ListClocks(ListClocksRequest(filter=f'case = "{case}"'))).clocks
    assert {each.work_item for each in clocks} == {""}
    assert all(each.HasField("fulfill_time") for each in clocks)
    found = await desk.clocks.ReconcileClocks(ReconcileClocksRequest(page_token=OF_WORK))
    assert not found.findings
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=reply.name))
    stays = await desk.cases.GetCase(GetCaseRequest(name=case))
    assert stays.state == CASE_STATE_RESOLVED


async def test_who_writes_again_is_looked_at_once_until_that_is_done(desk, case):
    for _ in range(3):
        await desk.contacted(case)
    [reply] = await replies(desk, case)
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=reply.name))
    await desk.contacted(case)
    assert await states(desk, case) == ["FINISHED", "PENDING"]


async def test_many_who_write_at_once_are_one_piece_of_work(desk, case):
    await asyncio.gather(*(desk.contacted(case) for _ in range(8)))
    assert await states(desk, case) == ["PENDING"]


async def test_who_reopens_the_case_has_looked_and_can_resolve_it_again(desk, case):
    await desk.contacted(case)
    await desk.cases.ReopenCase(ReopenCaseRequest(name=case, reason_code="not-settled"))
    assert await states(desk, case) == ["FINISHED"]
    [reopened], [finished] = await desk.facts("CaseReopened"), await desk.facts("WorkItemFinished")
    assert finished.causation_id == reopened.id
    assert await desk.clock_states(case, "RESOLUTION") == ["RUNNING"]
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case, resolution="settled"))


async def test_what_its_owner_recorded_and_what_was_answered_asks_nobody(desk, case):
    await desk.contacted(case, actor="agent:front-desk")
    await desk.contacted(case, "OUTBOUND")
    await desk.contacted(case, ago=timedelta(seconds=2))  # of which word came after the answer
    assert await replies(desk, case) == []


@pytest.fixture
async def alice(desk):
    """The relationship manager of the customer."""
    name = await desk.agent("agents/alice")
    told = RelationshipManagerAssigned(customer=desk.customer, relationship_manager=name)
    delivered = desk.running.deliver(told, resource=desk.customer, source="customer", version=2)
    await desk.taken_in(await delivered)
    return name


async def questions(desk):
    asked = ListCasesRequest(filter=f'customer = "{desk.customer}" AND topic = "customer-question"')
    return (await desk.cases.ListCases(asked)).cases


async def test_who_asks_of_no_case_reaches_who_looks_after_them_in_one_case_until_it_is_settled(desk, alice):
    await desk.keep_times("NEXT_RESPONSE")
    for _ in range(2):
        await desk.contacted(desk.customer, actor="service:desk")
    [case] = await questions(desk)
    assert (case.owner, case.department) == (alice, "departments/front-desk")
    [reply] = await replies(desk, case.name)
    assert await desk.clock_states(case.name, "NEXT_RESPONSE") == ["RUNNING"]
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=reply.name))
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="answered"))
    await desk.contacted(desk.customer, actor="service:desk")
    assert len(await questions(desk)) == 2


async def test_of_who_has_no_manager_the_front_desk_looks_at_what_they_ask_once_however_many_at_once(desk):
    await asyncio.gather(*(desk.contacted(desk.customer, actor="service:desk") for _ in range(8)))
    [case] = await questions(desk)
    assert case.owner == "agents/front-desk"
    assert await states(desk, case.name) == ["PENDING"]


async def test_of_a_promise_on_no_case_somebody_is_asked_and_of_one_on_a_case_who_has_that(desk):
    alone, within = await desk.make(), await desk.open()
    await desk.contacted(alone.name, actor="service:desk")
    [case] = await questions(desk)
    assert await states(desk, case.name) == ["PENDING"]
    promise = await desk.make(case=within.name)
    await desk.contacted(promise.name, actor="service:desk")
    assert len(await questions(desk)) == 1


async def test_what_an_agent_took_in_and_what_they_were_told_asks_nobody(desk):
    await desk.contacted(desk.customer, actor="agent:alice")
    await desk.contacted(desk.customer, "OUTBOUND", actor="service:desk")
    await desk.contacted("", actor="service:desk")
    await desk.contacted(f"customers/{UUID(int=7)}", actor="service:desk")
    assert await questions(desk) == []


async def test_a_topic_says_for_how_long_and_what_is_above_it_where_it_does_not(desk):
    topics = desk.running.stub(TopicServiceStub)
    for code, said in (
        ("delivery", {"reply_days": 3}),
        ("late-delivery", {"parent_topic": "topics/delivery"}),
    ):
        topic = Topic(display_name=code, department="departments/front-desk", **said)
        await topics.CreateTopic(CreateTopicRequest(topic_id=code, topic=topic))
    soon, late, other = await resolved(desk), await resolved(desk), await resolved(desk, topic="other")
    desk.clock.advance(2 * DAY)
    await desk.contacted(soon)
    desk.clock.advance(2 * DAY)
    for case in (late, other):
        await desk.contacted(case)
    assert [await states(desk, case) for case in (soon, late, other)] == [["PENDING"], [], ["PENDING"]]


async def test_of_what_was_merged_into_a_resolved_case_that_one_is_brought_up(desk):
    one, other = await desk.open(), await desk.open()
    merge = MergeCasesRequest(name=one.name, merged_cases=[other.name], reason_code="same-concern")
    await desk.cases.MergeCases(merge)
    await desk.cases.ResolveCase(ResolveCaseRequest(name=one.name, resolution="settled"))
    await desk.contacted(other.name)
    [reply] = await replies(desk, one.name)
    assert reply.case == one.name


async def test_an_open_case_has_clocks_for_what_the_customer_says_and_no_work(desk):
    case = (await desk.open()).name
    await desk.contacted(case)
    assert await replies(desk, case) == []
