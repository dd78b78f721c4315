"""Who serves customers no more, or for another department, leaves their work and cases to others."""

from datetime import timedelta
from uuid import UUID

import pytest

from rapport.cases.v1.case_service_pb2 import (
    GetCaseRequest,
    MergeCasesRequest,
    ReopenCaseRequest,
    ResolveCaseRequest,
    UnmergeCaseRequest,
)
from rapport.cases.v1.department_pb2 import Department
from rapport.cases.v1.directory_service_pb2 import UpdateAgentRequest, UpdateDepartmentRequest
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import GetWorkItemRequest
from rapport_testing.wait import eventually

DELIVERY, BOB, CLEO = "departments/delivery", "agents/bob", "agents/cleo"


async def work(desk, item):
    return await desk.work_items.GetWorkItem(GetWorkItemRequest(name=item.name))


async def given_back(desk, *items):
    """Waits until these are nobody's, and returns them."""

    async def are():
        now = [await work(desk, item) for item in items]
        return now if not any(each.assignee for each in now) else None

    return await eventually(are)


async def owned_by(desk, case, owner):
    """Waits until a case has an owner, and returns it."""

    async def has():
        now = await desk.cases.GetCase(GetCaseRequest(name=case.name))
        return now if now.owner == owner else None

    return await eventually(has)


async def no_timer(desk):
    """Whether nobody looks any more at what somebody leaves."""
    async with desk.running.db.connection() as connection:
        looked_at = "SELECT count(*) FROM timers WHERE kind = 'agent-leaves'"
        return not await connection.fetchval(looked_at)


@pytest.mark.parametrize("left", [{"inactive": True}, {"department": "departments/billing"}])
async def test_work_of_who_left_is_in_the_queue_of_its_department_again(desk, left):
    await desk.agent(BOB, DELIVERY)
    case = (await desk.open()).name
    pending, begun, blocked, done, others = [await desk.add(case) for _ in range(5)]
    await desk.agent(CLEO, DELIVERY)
    for item in (pending, begun, blocked, done):
        await desk.item("Assign", item.name, assignee=BOB)
    await desk.item("Assign", others.name, assignee=CLEO)
    await desk.item("Start", begun.name)
    await desk.item("Block", blocked.name, reason_code="no-driver")
    await desk.item("Finish", done.name)
    await desk.agent(BOB, **{"department": DELIVERY} | left)
    now = await given_back(desk, pending, begun, blocked)
    assert {each.state for each in now} == {WorkItem.STATE_PENDING}
    assert {each.department for each in now} == {DELIVERY}
    assert (now[1].HasField("start_time"), now[2].block_reason_code) == (False, "no-driver")
    assert [(await work(desk, each)).assignee for each in (done, others)] == [BOB, CLEO]
    told = [fact for fact in await desk.facts("WorkItemAssigned") if not fact.data.assignee]
    assert {fact.data.previous_assignee for fact in told} == {BOB}
    assert len(told) == 3


async def test_open_cases_of_who_left_go_to_who_leads_their_department(desk):
    await desk.agent(BOB, DELIVERY)
    await desk.agent("agents/gone", DELIVERY, inactive=True)
    await desk.agent("agents/elsewhere")
    await desk.agent(CLEO, DELIVERY)
    path = ["agents/elsewhere", CLEO]
    described = Department(name=DELIVERY, display_name="Delivery", escalation_path=path)
    request = UpdateDepartmentRequest(department=described, allow_missing=True)
    await desk.directory.UpdateDepartment(request)
    resolved, case = await desk.open(owner=BOB), await desk.open(owner=BOB)
    await desk.cases.ResolveCase(ResolveCaseRequest(name=resolved.name, resolution="done"))
    await desk.agent(BOB, DELIVERY, inactive=True)
    assert (await owned_by(desk, case, CLEO)).department == DELIVERY
    await owned_by(desk, resolved, BOB)
    (told,) = await desk.facts("CaseAssigned")
    assert (told.data.case, told.data.previous_owner) == (case.name, BOB)


async def test_open_cases_of_who_left_go_to_the_front_desk_where_nobody_leads(desk):
    case = await desk.open(owner=await desk.agent(BOB, DELIVERY))
    await desk.agent(BOB, "departments/billing")
    assert (await owned_by(desk, case, "agents/front-desk")).department == "departments/front-desk"


async def test_all_that_is_left_is_found_however_much_it_is(desk):
    await desk.agent(BOB, DELIVERY)
    case = (await desk.open()).name
    items = [await desk.add(case) for _ in range(51)]
    for item in items:
        await desk.item("Assign", item.name, assignee=BOB)
    await desk.agent(BOB, DELIVERY, inactive=True)
    await given_back(desk, *items)


async def test_what_was_opened_for_who_left_at_that_moment_is_found_a_minute_later(desk):
    case, meanwhile = await desk.open(owner=await desk.agent(BOB, DELIVERY)), await desk.open()
    await desk.agent(BOB, DELIVERY, inactive=True)
    await owned_by(desk, case, "agents/front-desk")
    async with desk.running.db.connection() as connection:
        said = "UPDATE cases SET owner_id = 'bob', department_id = 'delivery' WHERE id = $1"
        await connection.execute(said, UUID(meanwhile.name.removeprefix("cases/")))
    desk.clock.advance(timedelta(minutes=1))
    await owned_by(desk, meanwhile, "agents/front-desk")


@pytest.mark.parametrize("left", [{"inactive": True}, {"department": "departments/billing"}])
async def test_a_merged_case_that_stands_by_itself_again_is_not_left_to_who_has_gone(desk, left):
    merged = await desk.open(owner=await desk.agent(BOB, "departments/front-desk"))
    both = MergeCasesRequest(
        name=(await desk.open()).name, merged_cases=[merged.name], reason_code="reported-twice"
    )
    await desk.cases.MergeCases(both)
    await desk.agent(BOB, **{"department": "departments/front-desk"} | left)
    desk.clock.advance(timedelta(minutes=2))
    await eventually(lambda: no_timer(desk))
    await desk.cases.UnmergeCase(UnmergeCaseRequest(name=merged.name, reason_code="another-concern"))
    await owned_by(desk, merged, "agents/front-desk")


async def test_a_case_that_is_reopened_is_not_left_to_who_works_elsewhere(desk):
    case = await desk.open(owner=await desk.agent(BOB, DELIVERY))
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="done"))
    await desk.agent(BOB, "departments/billing")
    desk.clock.advance(timedelta(minutes=2))
    await eventually(lambda: no_timer(desk))
    await desk.cases.ReopenCase(ReopenCaseRequest(name=case.name, reason_code="again"))
    await owned_by(desk, case, "agents/front-desk")


async def test_who_comes_back_keeps_what_they_have(desk):
    await desk.agent(BOB, DELIVERY)
    await desk.agent(BOB, DELIVERY, inactive=True)
    back = UpdateAgentRequest(agent={"name": BOB}, update_mask={"paths": ["inactive"]})
    await desk.directory.UpdateAgent(back)
    mine, other = await desk.open(owner=BOB), await desk.open(owner=await desk.agent(CLEO, DELIVERY))
    await desk.agent(CLEO, DELIVERY, inactive=True)
    await owned_by(desk, other, "agents/front-desk")
    await owned_by(desk, mine, BOB)
