import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from cases.service import service
from cases.usecases.agent import seed_front_desk
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.cases_events_pb2 import AgentCreated, AgentUpdated
from rapport.cases.v1.directory_service_pb2 import GetAgentRequest, ListAgentsRequest, UpdateAgentRequest
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub

pytestmark = pytest.mark.together

ALICE = Agent(
    name="agents/alice", display_name="Alice", phone="+49 30 1", department="departments/front-desk"
)


async def test_there_is_a_front_desk_from_the_start(start, clock):
    running = await start(service, front_desk_phone="+49 30 9", front_desk_email="desk@example.com")
    agent = await running.stub(DirectoryServiceStub).GetAgent(GetAgentRequest(name="agents/front-desk"))
    assert (agent.display_name, agent.phone, agent.email) == ("Front Desk", "+49 30 9", "desk@example.com")
    assert (agent.department, agent.etag) == ("departments/front-desk", '"1"')


async def test_a_front_desk_that_nobody_can_reach_is_a_wrong_setting(start):
    with pytest.raises(ValueError, match="RAPPORT_FRONT_DESK_PHONE or RAPPORT_FRONT_DESK_EMAIL must be"):
        await start(service, front_desk_email="")


async def test_the_front_desk_is_seeded_once(desk):
    changed = Agent(name="agents/front-desk", display_name="Reception")
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=changed))
    await seed_front_desk(desk.running.db, phone="", email="other@example.com")
    agent = await desk.directory.GetAgent(GetAgentRequest(name="agents/front-desk"))
    assert (agent.display_name, agent.email) == ("Reception", "front-desk@example.com")


async def test_an_agent_is_created_when_that_is_allowed(desk, refused):
    unknown = desk.directory.UpdateAgent(UpdateAgentRequest(agent=ALICE))
    assert await refused(unknown) == "NOT_FOUND RESOURCE_NOT_FOUND"
    created = await desk.directory.UpdateAgent(UpdateAgentRequest(agent=ALICE, allow_missing=True))
    assert (created.phone, created.department, created.etag) == (ALICE.phone, ALICE.department, '"1"')
    assert await desk.directory.GetAgent(GetAgentRequest(name=ALICE.name)) == created


@pytest.mark.alone("it counts all that there is")
async def test_others_hear_who_serves_customers_and_nothing_personal(desk):
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=ALICE, allow_missing=True))
    billing = "departments/billing"
    gone = Agent(name=ALICE.name, inactive=True, display_name=ALICE.display_name, department=billing)
    changed = await desk.directory.UpdateAgent(UpdateAgentRequest(agent=gone))
    again = await desk.directory.UpdateAgent(UpdateAgentRequest(agent=gone))
    facts = await desk.facts("AgentCreated", "AgentUpdated")
    assert [fact.data for fact in facts if fact.resource == ALICE.name] == [
        AgentCreated(agent=ALICE.name, department=ALICE.department),
        AgentUpdated(
            agent=ALICE.name,
            department=billing,
            inactive=True,
            updated_fields=["department", "inactive"],
            previous_department=ALICE.department,
        ),
    ]
    assert changed == again
    assert (changed.inactive, changed.etag) == (True, '"2"')


async def test_a_stale_change_of_an_agent_is_refused(desk, refused):
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=ALICE, allow_missing=True))
    stale = Agent(name=ALICE.name, display_name="Bob", etag='"7"')
    assert (
        await refused(desk.directory.UpdateAgent(UpdateAgentRequest(agent=stale))) == "ABORTED ETAG_MISMATCH"
    )


@pytest.mark.alone("it counts all that there is")
async def test_an_agent_that_somebody_read_and_is_not_there_is_not_created(desk, refused):
    read = Agent(etag='"7"')
    read.MergeFrom(ALICE)
    stale = desk.directory.UpdateAgent(UpdateAgentRequest(agent=read, allow_missing=True))
    assert await refused(stale) == "ABORTED ETAG_MISMATCH"
    absent = desk.directory.GetAgent(GetAgentRequest(name=ALICE.name))
    assert await refused(absent) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_only_the_masked_fields_of_an_agent_change(desk):
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=ALICE, allow_missing=True))
    sent = Agent(name=ALICE.name, display_name="Bob", email="alice@example.com")
    updated = await desk.directory.UpdateAgent(
        UpdateAgentRequest(agent=sent, update_mask=FieldMask(paths=["email"]))
    )
    assert (updated.display_name, updated.phone, updated.email) == ("Alice", "+49 30 1", "alice@example.com")


@pytest.mark.alone("it counts all that there is")
async def test_an_agent_stays_reachable(desk, refused):
    created = await desk.directory.UpdateAgent(UpdateAgentRequest(agent=ALICE, allow_missing=True))
    silent = UpdateAgentRequest(agent=Agent(name=ALICE.name), update_mask=FieldMask(paths=["phone"]))
    assert await refused(desk.directory.UpdateAgent(silent)) == "INVALID_ARGUMENT REQUIRED"
    assert await desk.directory.GetAgent(GetAgentRequest(name=ALICE.name)) == created


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        (Agent(name="agents/Alice", display_name="Alice"), "INVALID_NAME"),
        (Agent(name="agents/bob", phone="1", department="departments/front-desk"), "REQUIRED"),
        (Agent(name="agents/bob", display_name="Bob", phone="1"), "REQUIRED"),
        (Agent(name="agents/bob", display_name="x" * 201), "TOO_LONG"),
        (Agent(name="agents/bob", display_name="B\0b"), "INVALID_TEXT"),
        (Agent(name="agents/bob", display_name="Bob", phone="1", email='"'), "INVALID_EMAIL"),
        (Agent(name="agents/bob", display_name="Bob", email="a@["), "INVALID_EMAIL"),
        (Agent(name="agents/bob", display_name="Bob", email="=?utf-8?q?=0d=0a?=@x.example"), "INVALID_EMAIL"),
    ],
)
async def test_an_agent_that_breaks_the_contract_is_refused(desk, refused, agent, reason):
    request = UpdateAgentRequest(agent=agent, allow_missing=True)
    assert await refused(desk.directory.UpdateAgent(request)) == f"INVALID_ARGUMENT {reason}"


@pytest.mark.alone("it counts all that there is")
async def test_agents_are_listed_by_name(desk):
    for name in ("carol", "bob"):
        agent = Agent(name=f"agents/{name}", display_name=name, phone="1", department="departments/billing")
        await desk.directory.UpdateAgent(UpdateAgentRequest(agent=agent, allow_missing=True))
    first = await desk.directory.ListAgents(ListAgentsRequest(page_size=2))
    rest = await desk.directory.ListAgents(ListAgentsRequest(page_size=2, page_token=first.next_page_token))
    names = [agent.name for agent in [*first.agents, *rest.agents]]
    assert names == ["agents/bob", "agents/carol", "agents/front-desk"]


async def test_what_the_mask_leaves_out_is_not_even_read(desk):
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=ALICE, allow_missing=True))
    half = Agent(name=ALICE.name, display_name="Alice B.", department="cases/1")
    request = UpdateAgentRequest(agent=half, update_mask=FieldMask(paths=["display_name"]))
    assert (await desk.directory.UpdateAgent(request)).department == ALICE.department
