"""Topics: the taxonomy that departments own, and what it says of cases."""

import asyncio

import grpc
import pytest

from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import OpenCaseRequest, UpdateCaseRequest
from rapport.cases.v1.directory_service_pb2 import UpdateAgentRequest
from rapport.cases.v1.topic_pb2 import Topic
from rapport.cases.v1.topic_service_pb2 import (
    CreateTopicRequest,
    ExplainTopicRequest,
    GetTopicRequest,
    ListTopicsRequest,
    UpdateTopicRequest,
)
from rapport.cases.v1.topic_service_pb2_grpc import TopicServiceStub
from rapport.common.v1.states_pb2 import HARM_INCONVENIENCE, HARM_LOSS, HARM_SEVERE
from rapport_testing.running import reason


@pytest.fixture
async def topics(desk):
    return desk.running.stub(TopicServiceStub)


@pytest.fixture
def declare(topics):
    async def create(topic_id, **fields):
        said = {"display_name": topic_id.capitalize(), "department": "departments/front-desk"} | fields
        return await topics.CreateTopic(CreateTopicRequest(topic_id=topic_id, topic=Topic(**said)))

    return create


async def test_a_topic_is_read_back_listed_and_explained(topics, declare):
    await declare("delivery")
    late = await declare("late-delivery", parent_topic="topics/delivery", default_harm=HARM_LOSS)
    assert await topics.GetTopic(GetTopicRequest(name="topics/late-delivery")) == late
    below = await topics.ListTopics(ListTopicsRequest(filter='parent_topic = "topics/delivery"'))
    assert list(below.topics) == [late]
    assert "Topic created" in (await topics.ExplainTopic(ExplainTopicRequest(name=late.name))).summary


async def test_what_a_case_leaves_out_its_topic_says_or_one_above(desk, declare):
    bob = await desk.agent("agents/bob")
    await declare("delivery", default_owner=bob, default_harm=HARM_LOSS)
    await declare("late-delivery", parent_topic="topics/delivery", default_harm=HARM_SEVERE)
    opened = await desk.open(owner="")
    assert (opened.owner, opened.harm) == (bob, HARM_SEVERE)
    said = await desk.open(harm=HARM_INCONVENIENCE)
    assert (said.owner, said.harm) == ("agents/front-desk", HARM_INCONVENIENCE)


async def test_a_case_is_opened_for_the_nearest_owner_who_has_not_left(desk, declare):
    bob, carol = await desk.agent("agents/bob"), await desk.agent("agents/carol")
    await declare("delivery", default_owner=carol)
    await declare("late-delivery", parent_topic="topics/delivery", default_owner=bob)
    for gone, next_one in ((bob, carol), (carol, "agents/front-desk")):
        agent = Agent(name=gone, inactive=True)
        request = UpdateAgentRequest(agent=agent, update_mask={"paths": ["inactive"]})
        await desk.directory.UpdateAgent(request)
        assert (await desk.open(owner="")).owner == next_one


async def test_a_case_whose_owner_nobody_names_is_refused(desk, refused):
    assert await refused(desk.open(owner="")) == "INVALID_ARGUMENT REQUIRED"
    assert (await desk.open(topic="of-nobody")).harm == HARM_INCONVENIENCE


async def test_a_case_that_is_about_something_else_has_the_harm_of_that_when_asked_for(desk, declare):
    await declare("injury", default_harm=HARM_SEVERE)
    opened = await desk.open()
    changed = Case(name=opened.name, topic="injury")
    request = UpdateCaseRequest(case=changed, update_mask={"paths": ["topic", "harm"]})
    assert (await desk.cases.UpdateCase(request)).harm == HARM_SEVERE


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"parent_topic": "topics/none"}, "NOT_FOUND RESOURCE_NOT_FOUND"),
        ({"default_owner": "agents/nobody"}, "NOT_FOUND RESOURCE_NOT_FOUND"),
        ({"parent_topic": "topics/delivery"}, "FAILED_PRECONDITION TOPIC_CYCLE"),
    ],
)
async def test_a_topic_stands_where_there_is_something(topics, declare, refused, fields, answer):
    await declare("delivery")
    changed = Topic(name="topics/delivery", **fields)
    request = UpdateTopicRequest(topic=changed, update_mask={"paths": list(fields)})
    assert await refused(topics.UpdateTopic(request)) == answer


async def test_at_most_eight_are_above_each_other(topics, declare, refused):
    above = ""
    for n in range(8):
        above = (await declare(f"level-{n}", parent_topic=above)).name
    answer = "FAILED_PRECONDITION TOPIC_TOO_DEEP"
    assert await refused(declare("one-more", parent_topic=above)) == answer
    await declare("top")
    moved = UpdateTopicRequest(topic=Topic(name="topics/level-0", parent_topic="topics/top"))
    assert await refused(topics.UpdateTopic(moved)) == answer


async def test_another_departments_topic_is_left_alone(desk, declare, refused):
    delivery = await declare("delivery", department="departments/delivery")
    billing = desk.running.stub(TopicServiceStub, permissions=["cases.topics.write"], department="billing")
    changed = UpdateTopicRequest(topic=Topic(name=delivery.name, display_name="Ours"))
    assert await refused(billing.UpdateTopic(changed)) == "PERMISSION_DENIED NOT_OWNER"
    again = CreateTopicRequest(topic_id="delivery", topic=Topic(display_name="Ours"))
    assert await refused(billing.CreateTopic(again)) == "ALREADY_EXISTS RESOURCE_EXISTS"


async def test_two_that_are_put_below_each_other_at_once_are_not_both(topics, declare):
    for n in range(5):
        pair = [(await declare(f"{side}-{n}")).name for side in ("left", "right")]
        moves = [
            topics.UpdateTopic(UpdateTopicRequest(topic=Topic(name=one, parent_topic=other)))
            for one, other in (pair, pair[::-1])
        ]
        answers = await asyncio.gather(*moves, return_exceptions=True)
        refusals = [reason(each) for each in answers if isinstance(each, grpc.aio.AioRpcError)]
        assert refusals == ["TOPIC_CYCLE"]


async def test_an_opened_case_is_told_with_its_harm(desk):
    opened = await desk.cases.OpenCase(OpenCaseRequest(case=desk.case(harm=HARM_LOSS)))
    [told] = await desk.facts("CaseOpened")
    assert (told.data.harm, told.data.priority) == (HARM_LOSS, opened.priority)
