"""Whom work is given to: teams, skills, languages, how much each has, and who is there."""

import asyncio
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from cases.store.languages import LANGUAGE
from cases.store.tables import WORK_ITEMS
from chassis.api.messages import timestamp
from rapport.cases.v1.directory_service_pb2 import UpdateAgentRequest
from rapport.cases.v1.presence_pb2 import Presence
from rapport.cases.v1.presence_service_pb2 import ListPresencesRequest, SetPresenceRequest
from rapport.cases.v1.queue_service_pb2 import (
    GetQueueRequest,
    ListQueuedWorkRequest,
    Nothing,
    TakeNextWorkRequest,
)
from rapport.cases.v1.team_service_pb2 import UpdateTeamRequest
from rapport.cases.v1.topic_pb2 import Topic
from rapport.cases.v1.topic_service_pb2 import CreateTopicRequest
from rapport.cases.v1.topic_service_pb2_grpc import TopicServiceStub
from rapport.cases.v1.work_item_service_pb2 import ListWorkItemsRequest
from rapport.customer.v1.customer_events_pb2 import CustomerCreated, CustomerUpdated
from rapport_testing.wait import eventually

DELIVERY, BILLING = "departments/delivery", "departments/billing"


def take(desk, agent):
    return desk.queue.TakeNextWork(TakeNextWorkRequest(name=agent))


async def work(desk, **said):
    return await desk.add((await desk.open()).name, **said)


async def say(desk, agent, state, minutes=None):
    until = timestamp(desk.clock.now() + timedelta(minutes=minutes)) if minutes else None
    said = SetPresenceRequest(name=f"{agent}/presence", state=state, until_time=until)
    return await desk.presences.SetPresence(said)


async def test_work_goes_to_who_has_the_skills_themselves_or_by_their_team(desk):
    await desk.team("returns", "refunds")
    bob = await desk.agent("agents/bob", DELIVERY, skills=["tax"])
    eve = await desk.agent("agents/eve", DELIVERY, skills=["tax"], teams=["teams/returns"])
    item = await work(desk, required_skills=["refunds", "tax"])
    nothing = (await take(desk, bob)).nothing
    assert (nothing.reason, nothing.missing_skills) == (Nothing.REASON_FOR_OTHERS, ["refunds"])
    assert (await take(desk, eve)).work.work_item.name == item.name
    for_all = await work(desk)
    assert (await take(desk, bob)).work.work_item.name == for_all.name


async def test_what_a_team_can_do_follows_at_once(desk):
    team = await desk.team("returns")
    eve = await desk.agent("agents/eve", DELIVERY, teams=[team])
    item = await work(desk, required_skills=["refunds"])
    assert (await take(desk, eve)).nothing.missing_skills == ["refunds"]
    await desk.teams.UpdateTeam(UpdateTeamRequest(team={"name": team, "skills": ["refunds"]}))
    assert (await take(desk, eve)).work.work_item.name == item.name


async def test_work_of_a_team_goes_to_its_people_alone(desk):
    team = await desk.team("returns")
    bob = await desk.agent("agents/bob", DELIVERY)
    eve = await desk.agent("agents/eve", DELIVERY, teams=[team])
    item = await work(desk, team=team)
    nothing = (await take(desk, bob)).nothing
    assert (nothing.reason, nothing.missing_teams) == (Nothing.REASON_FOR_OTHERS, [team])
    given = (await take(desk, eve)).work.work_item
    assert (given.name, given.team) == (item.name, team)


async def test_a_team_is_of_one_department(desk, refused):
    team = await desk.team("returns")
    of_billing = desk.agent("agents/bob", BILLING, teams=[team])
    assert await refused(of_billing) == "FAILED_PRECONDITION TEAM_MISMATCH"
    assert await refused(work(desk, department=BILLING, team=team)) == "FAILED_PRECONDITION TEAM_MISMATCH"
    assert await refused(work(desk, team="teams/nobody")) == "NOT_FOUND RESOURCE_NOT_FOUND"
    bob = await desk.agent("agents/bob", DELIVERY, teams=[team])
    moved = UpdateAgentRequest(agent={"name": bob, "department": BILLING})
    assert await refused(desk.directory.UpdateAgent(moved)) == "FAILED_PRECONDITION TEAM_MISMATCH"


async def test_work_needs_what_its_topic_says_where_that_is_of_its_department(desk):
    for topic, above, skills in (("delivery", "", ["parcels"]), ("late-delivery", "topics/delivery", [])):
        said = Topic(display_name=topic, department=DELIVERY, parent_topic=above, required_skills=skills)
        await desk.running.stub(TopicServiceStub).CreateTopic(CreateTopicRequest(topic_id=topic, topic=said))
    assert (await work(desk)).required_skills == ["parcels"]
    assert (await work(desk, required_skills=["wine"])).required_skills == ["wine"]
    billed = await work(desk, department=BILLING)
    assert not billed.required_skills
    back = await desk.item("HandOver", billed.name, department=DELIVERY, reason_code="not-ours")
    assert back.required_skills == ["parcels"]


async def test_whom_work_is_for_is_said_anew_when_it_is_handed_over(desk):
    team = await desk.team("returns", department=BILLING)
    eve = await desk.agent("agents/eve", BILLING, teams=[team], skills=["refunds"])
    item = await work(desk, required_skills=["parcels"])
    said = {"team": team, "required_skills": ["refunds"]}
    handed = await desk.item("HandOver", item.name, department=BILLING, reason_code="not-ours", **said)
    assert (handed.team, handed.required_skills) == (team, ["refunds"])
    assert (await take(desk, eve)).work.work_item.name == item.name


async def test_work_is_for_who_speaks_its_language_and_after_half_an_hour_for_anybody(desk):
    bob = await desk.agent("agents/bob", DELIVERY, language_codes=["de-AT", "en"])
    fay = await desk.agent("agents/fay", DELIVERY, language_codes=["fr"])
    first, second = [await work(desk, language_code="fr-CA") for _ in range(2)]
    nothing = (await take(desk, bob)).nothing
    assert (nothing.reason, nothing.missing_language_codes) == (Nothing.REASON_FOR_OTHERS, ["fr"])
    assert (await take(desk, fay)).work.work_item.name == first.name
    desk.clock.advance(timedelta(minutes=31))

    async def given():
        return (await take(desk, bob)).work.work_item.name == second.name

    await eventually(given)


async def test_what_is_due_within_the_hour_waits_for_no_language(desk):
    bob = await desk.agent("agents/bob", DELIVERY, language_codes=["de"])
    item = await work(desk, language_code="fr")
    await desk.make(due_days=50 / 1440, work_item=item.name)

    async def given():
        return (await take(desk, bob)).work.work_item.name == item.name

    await eventually(given)
    eve = await desk.agent("agents/eve", BILLING, language_codes=["de"])
    await desk.item("HandOver", item.name, department=BILLING, reason_code="not-ours")
    assert (await take(desk, eve)).work.work_item.name == item.name  # there at once, it is due as soon


async def test_the_language_is_the_customers_where_nobody_says_another(desk):
    async def told(kind, language, version):
        fact = kind(customer=desk.customer, language_code=language)
        await desk.running.deliver(fact, resource=desk.customer, version=version, source="customer")

    async def known(language):
        row = await LANGUAGE.maybe(desk.running.db, customer_id=desk.customer.partition("/")[2])
        return row is not None and row.language_code == language

    await told(CustomerCreated, "fr", 1)
    await eventually(partial(known, "fr"))
    assert (await work(desk)).language_code == "fr"
    await told(CustomerUpdated, "it", 3)
    await told(CustomerUpdated, "es", 2)
    await eventually(partial(known, "it"))
    assert (await work(desk)).language_code == "it"
    assert (await work(desk, language_code="de")).language_code == "de"


async def test_nobody_is_given_more_than_they_can_have_however_often_they_ask_at_once(desk):
    bob = await desk.agent("agents/bob", DELIVERY, capacity=3)
    case = await desk.open()
    for _ in range(8):
        await desk.add(case.name)
    taken = await asyncio.gather(*(take(desk, bob) for _ in range(20)))
    assert sum(each.HasField("work") for each in taken) == 3
    full = [each.nothing for each in taken if each.HasField("nothing")]
    assert {(each.reason, each.open_work_count, each.capacity) for each in full} == {
        (Nothing.REASON_CAPACITY, 3, 3)
    }
    listed = await desk.work_items.ListWorkItems(ListWorkItemsRequest(filter=f"assignee = {bob}"))
    assert len(listed.work_items) == 3
    await desk.item("Block", listed.work_items[0].name, reason_code="supplier")
    await desk.item("Finish", listed.work_items[1].name)
    again = [await take(desk, bob) for _ in range(3)]
    assert [each.HasField("work") for each in again] == [True, True, False]


async def test_of_a_hundred_agents_with_skills_none_is_starved_and_no_work_is_given_twice(desk):
    skills = ("a", "b", "c", "d")
    agents = {
        await desk.agent(f"agents/a{n}", DELIVERY, skills=[skills[n % 4]], capacity=1): skills[n % 4]
        for n in range(100)
    }
    for _ in range(5):
        case = await desk.open()
        for each in skills:
            await asyncio.gather(*(desk.add(case.name, required_skills=[each]) for _ in range(5)))
    given = [each.work.work_item for each in await asyncio.gather(*(take(desk, each) for each in agents))]
    assert len({item.name for item in given} - {""}) == 100
    assert [item.assignee for item in given] == list(agents)
    assert [list(item.required_skills) for item in given] == [[skill] for skill in agents.values()]
    full = await asyncio.gather(*(take(desk, each) for each in agents))
    assert {each.nothing.reason for each in full} == {Nothing.REASON_CAPACITY}


async def test_however_many_lanes_others_have_what_somebody_can_do_is_found(desk):
    """More than are looked at of one walk, all before the lanes of who asks."""
    team = await desk.team("returns", "refunds")
    bob = await desk.agent("agents/bob", DELIVERY, skills=["zeal"], language_codes=["fi"], teams=[team])
    ann = await desk.agent("agents/ann", DELIVERY, skills=["zeal"])
    one = await work(desk, required_skills=["s0"])
    copied = ", ".join(each.name for each in WORK_ITEMS.columns if each.name not in ("id", "lane"))
    async with desk.running.db.connection() as connection:
        await connection.execute(
            f"INSERT INTO work_items (id, lane, {copied}) SELECT gen_random_uuid(), 'skill:s' || n, {copied}"
            " FROM work_items, generate_series(1, 1000) AS n WHERE work_items.id = $1",
            UUID(one.name.partition("/")[2]),
        )
    skilled = await work(desk, required_skills=["zeal", "refunds"], team=team)
    theirs = await desk.queue.GetQueue(GetQueueRequest(name=f"{DELIVERY}/queue", team=team))
    assert (theirs.waiting_count, theirs.capped) == (1, False)
    assert (await desk.queue.GetQueue(GetQueueRequest(name=f"{DELIVERY}/queue"))).capped
    first = ListQueuedWorkRequest(parent=f"{DELIVERY}/queue", page_size=1)
    assert (await desk.queue.ListQueuedWork(first)).capped
    swedish = await work(desk, required_skills=["zeal"], language_code="sv")
    assert (await take(desk, bob)).work.work_item.name == skilled.name
    assert (await take(desk, bob)).nothing.reason == Nothing.REASON_FOR_OTHERS
    assert (await take(desk, ann)).work.work_item.name == swedish.name  # who names no language takes any


@pytest.mark.parametrize(("state", "reason"), [("AWAY", "AWAY"), ("BUSY", "BUSY")])
async def test_who_says_that_they_are_not_there_is_given_nothing_until_then(desk, state, reason):
    bob = await desk.agent("agents/bob", DELIVERY)
    item = await work(desk)
    said = await say(desk, bob, f"STATE_{state}", minutes=1 / 2)
    nothing = (await take(desk, bob)).nothing
    assert nothing.reason == Nothing.Reason.Value(f"REASON_{reason}")
    assert nothing.until_time == said.until_time
    desk.clock.advance(timedelta(seconds=30))
    assert (await take(desk, bob)).work.work_item.name == item.name


async def test_who_said_that_they_are_offline_is_given_nothing_until_they_come_back(desk):
    bob = await desk.agent("agents/bob", DELIVERY)
    item = await work(desk)
    await say(desk, bob, "STATE_OFFLINE")
    for _ in range(2):
        assert (await take(desk, bob)).nothing.reason == Nothing.REASON_OFFLINE
        desk.clock.advance(timedelta(minutes=2))
    await say(desk, bob, "STATE_AVAILABLE")
    desk.clock.advance(timedelta(minutes=2))  # nothing shows that they are there but that they ask
    assert (await take(desk, bob)).work.work_item.name == item.name


async def test_who_left_without_a_word_keeps_what_is_theirs_and_it_is_seen(desk):
    bob = await desk.agent("agents/bob", DELIVERY, capacity=5)
    item = await work(desk)
    assert (await take(desk, bob)).work.work_item.name == item.name
    assert (await say(desk, bob, "STATE_AVAILABLE")).state == Presence.STATE_AVAILABLE
    desk.clock.advance(timedelta(minutes=2))
    [seen] = [each for each in await presences(desk) if each.name == f"{bob}/presence"]
    assert (seen.state, seen.open_work_count, seen.capacity) == (Presence.STATE_OFFLINE, 1, 5)
    fay = await desk.agent("agents/fay", DELIVERY)
    assert (await take(desk, fay)).nothing.reason == Nothing.REASON_EMPTY
    await desk.item("Assign", item.name)  # put back by who may
    assert (await take(desk, fay)).work.work_item.name == item.name


async def presences(desk):
    listed = await desk.presences.ListPresences(ListPresencesRequest(filter=f"department = {DELIVERY}"))
    return listed.presences


async def test_nobody_is_there_who_serves_customers_no_more(desk, refused):
    bob = await desk.agent("agents/bob", DELIVERY)
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent={"name": bob, "inactive": True}))
    assert not await presences(desk)
    assert await refused(say(desk, bob, "STATE_AVAILABLE")) == "FAILED_PRECONDITION AGENT_INACTIVE"
    assert await refused(say(desk, "agents/nobody", "STATE_AVAILABLE")) == "NOT_FOUND RESOURCE_NOT_FOUND"
