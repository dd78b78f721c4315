"""Who does the work, whether it can go on, and which department has it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.api.messages import timestamp
from rapport.cases.v1 import work_item_pb2
from rapport.cases.v1.directory_service_pb2 import UpdateAgentRequest
from rapport.cases.v1.handoff_service_pb2 import GetHandoffRequest, ListHandoffsRequest
from rapport.cases.v1.promise_service_pb2 import KeepPromiseRequest, WithdrawPromiseRequest
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_service_pb2 import (
    ForecastWorkItemRequest,
    HandOverWorkItemRequest,
    ListWorkItemsRequest,
)
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1 import states_pb2

pytestmark = pytest.mark.together

State = work_item_pb2.WorkItem.State
Promised = states_pb2.PromiseState
DELIVERY, BILLING, FRONT_DESK = (f"departments/{each}" for each in ("delivery", "billing", "front-desk"))
HOUR = timedelta(hours=1)


async def ledger(desk, **of):
    """The lines of the ledger of hand-offs, oldest first."""
    said = " AND ".join(f"{field} = {value}" for field, value in of.items())
    return list((await desk.handoffs.ListHandoffs(ListHandoffsRequest(filter=said))).handoffs)


async def test_work_is_given_to_an_agent_of_its_department_and_taken_back(desk, refused):
    bob = await desk.agent("agents/bob", DELIVERY)
    item = await desk.add((await desk.open()).name)
    given = await desk.item("Assign", item.name, assignee=bob)
    assert given.assignee == bob
    assert await desk.item("Assign", item.name, assignee=bob) == given
    mine = await desk.work_items.ListWorkItems(ListWorkItemsRequest(filter=f"assignee = {bob}"))
    assert [each.name for each in mine.work_items] == [item.name]
    assert (await desk.item("Assign", item.name)).assignee == ""
    told = [
        (fact.data.assignee, fact.data.previous_assignee) for fact in await desk.facts("WorkItemAssigned")
    ]
    assert told == [(bob, ""), ("", bob)]


async def test_work_is_given_to_nobody_else(desk, refused):
    item = await desk.add((await desk.open()).name)
    other = desk.item("Assign", item.name, assignee="agents/front-desk")
    assert await refused(other) == "FAILED_PRECONDITION DEPARTMENT_MISMATCH"
    bob = await desk.agent("agents/bob", DELIVERY)
    gone = UpdateAgentRequest(agent={"name": bob, "inactive": True})
    await desk.directory.UpdateAgent(gone)
    assert await refused(desk.item("Assign", item.name, assignee=bob)) == "FAILED_PRECONDITION AGENT_INACTIVE"
    stranger = desk.item("Assign", item.name, assignee="agents/nobody")
    assert await refused(stranger) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_blocked_work_puts_its_promise_at_risk_until_it_can_go_on(desk):
    item, promise = await desk.promised_work(due_days=3)
    blocked = await desk.item("Block", item.name, reason_code="supplier")
    assert (blocked.block_reason_code, blocked.block_time) == ("supplier", timestamp(desk.clock.now()))
    at_risk = await desk.get(promise.name)
    assert (at_risk.state, at_risk.reason_code) == (Promised.PROMISE_STATE_AT_RISK, "work-blocked")
    assert not at_risk.HasField("forecast_time")
    unblocked = await desk.item("Unblock", item.name)
    assert not unblocked.HasField("block_time")
    assert (await desk.get(promise.name)).state == Promised.PROMISE_STATE_OPEN
    block, risk, unblock, recovered = await desk.facts(
        "WorkItemBlocked", "PromiseAtRisk", "WorkItemUnblocked", "PromiseRecovered"
    )
    assert (risk.causation_id, recovered.causation_id) == (block.id, unblock.id)
    assert (unblock.data.reason_code, unblock.data.block_time) == ("supplier", block.data.block_time)
    assert not recovered.data.HasField("forecast_time")


async def test_a_forecast_in_time_leaves_a_promise_at_risk_whose_work_is_blocked(desk):
    item, promise = await desk.promised_work(due_days=3)
    await desk.forecast(item.name, days=5)
    await desk.item("Block", item.name, reason_code="customer")
    assert (await desk.get(promise.name)).reason_code == "carrier-delay"
    await desk.forecast(item.name, days=2)
    assert (await desk.get(promise.name)).reason_code == "work-blocked"
    await desk.item("Unblock", item.name)
    assert (await desk.get(promise.name)).state == Promised.PROMISE_STATE_OPEN


async def test_what_is_promised_on_blocked_work_is_at_risk_at_once(desk):
    item = await desk.add((await desk.open()).name)
    await desk.item("Block", item.name, reason_code="customer")
    assert (await desk.make(3, work_item=item.name)).reason_code == "work-blocked"


@pytest.mark.alone("it moves the clock")
async def test_work_that_can_go_on_when_its_promise_is_due_soon_leaves_it_at_risk_by_the_clock(desk):
    item, promise = await desk.promised_work(due_days=3)
    await desk.item("Block", item.name, reason_code="customer")
    desk.clock.advance(timedelta(days=2.5))
    await desk.item("Unblock", item.name)
    assert (await desk.get(promise.name)).reason_code == "work-unassigned"


async def test_work_is_blocked_once_and_neither_begun_nor_done_twice_meanwhile(desk, refused):
    item = await desk.add((await desk.open()).name)
    idle = desk.item("Unblock", item.name)
    assert await refused(idle) == "FAILED_PRECONDITION WORK_ITEM_NOT_BLOCKED"
    await desk.item("Block", item.name, reason_code="customer")
    for verb, fields in (("Block", {"reason_code": "supplier"}), ("Start", {})):
        call = desk.item(verb, item.name, **fields)
        assert await refused(call) == "FAILED_PRECONDITION WORK_ITEM_BLOCKED"
    finished = await desk.item("Finish", item.name)
    assert finished.block_reason_code == ""
    for verb, fields in (("Block", {"reason_code": "x"}), ("Assign", {}), ("HandOver", {"reason_code": "x"})):
        fields |= {"department": BILLING} if verb == "HandOver" else {}
        call = desk.item(verb, item.name, **fields)
        assert await refused(call) == "FAILED_PRECONDITION WORK_ITEM_FINISHED"


@pytest.mark.alone("it counts all that there is")
async def test_work_that_is_handed_over_is_pending_at_the_other_department(desk, refused):
    bob = await desk.agent("agents/bob", DELIVERY)
    item = await desk.add((await desk.open()).name)
    await desk.item("Assign", item.name, assignee=bob)
    await desk.item("Start", item.name)
    await desk.item("Block", item.name, reason_code="other-department")
    over = await desk.item("HandOver", item.name, department=BILLING, reason_code="not-ours")
    assert (over.name, over.department, over.state) == (item.name, BILLING, State.STATE_PENDING)
    assert (over.assignee, over.block_reason_code, over.handoff_count, over.return_count) == ("", "", 1, 0)
    assert not over.HasField("start_time")
    assert over.create_time == item.create_time
    (told,) = await desk.facts("WorkItemHandedOver")
    assert (told.data.department, told.data.previous_department) == (BILLING, DELIVERY)
    again = desk.item("HandOver", item.name, department=BILLING, reason_code="not-ours")
    assert await refused(again) == "FAILED_PRECONDITION SAME_DEPARTMENT"


async def test_a_hand_over_takes_the_promise_along_which_stays_that_of_who_made_it(desk, refused):
    """The receiving department's work says what becomes of it; that it was kept, nobody but who made it."""
    item, promise = await desk.promised_work(due_days=3)
    await desk.item("HandOver", item.name, department=BILLING, reason_code="not-ours")
    billing = desk.running.stub(WorkItemServiceStub, ["cases.work_items.write"], "agent:paul", "billing")
    late = ForecastWorkItemRequest(
        name=item.name, forecast_finish_time=timestamp(desk.in_days(5)), reason_code="backlog"
    )
    await billing.ForecastWorkItem(late)
    held = await desk.get(promise.name)
    assert (held.department, held.state, held.reason_code) == (
        DELIVERY,
        Promised.PROMISE_STATE_AT_RISK,
        "backlog",
    )
    keeping = desk.running.stub(PromiseServiceStub, ["cases.promises.write"], "agent:paul", "billing")
    assert await refused(keeping.KeepPromise(KeepPromiseRequest(name=promise.name))) == (
        "PERMISSION_DENIED NOT_OWNER"
    )
    await desk.item("Finish", item.name)
    assert (await desk.get(promise.name)).state == Promised.PROMISE_STATE_KEPT


async def test_only_the_department_that_has_it_hands_work_over(desk, refused):
    """Not who answers for the case: they could finish it then, and so keep the promise of another."""
    item, promise = await desk.promised_work()
    alice = desk.running.stub(WorkItemServiceStub, ["cases.work_items.write"], "agent:alice", "front-desk")
    mine = HandOverWorkItemRequest(name=item.name, department=FRONT_DESK, reason_code="mine")
    assert await refused(alice.HandOverWorkItem(mine)) == "PERMISSION_DENIED NOT_OWNER"
    await desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=promise.name, reason_code="not-ours"))
    await desk.item("Start", item.name)
    assert await refused(alice.HandOverWorkItem(mine)) == "PERMISSION_DENIED NOT_OWNER"


@pytest.mark.alone("it counts all that there is")
async def test_who_answers_for_a_case_gets_work_back_that_a_department_does_not_see_to(desk, refused):
    def of(who):
        return desk.running.stub(WorkItemServiceStub, ["cases.work_items.write"], f"agent:{who}", who)

    case = await desk.open()
    item, given = [await desk.add(case.name, department="departments/nowhere") for _ in range(2)]
    await desk.item("Assign", given.name, assignee=await desk.agent("agents/bob", "departments/nowhere"))
    mine = HandOverWorkItemRequest(name=item.name, department=DELIVERY, reason_code="not-there")
    assert await refused(of("billing").HandOverWorkItem(mine)) == "PERMISSION_DENIED NOT_OWNER"
    assert (await of("front-desk").HandOverWorkItem(mine)).department == DELIVERY
    theirs = HandOverWorkItemRequest(name=given.name, department=DELIVERY, reason_code="not-there")
    assert await refused(of("front-desk").HandOverWorkItem(theirs)) == "PERMISSION_DENIED NOT_OWNER"


@pytest.mark.alone("it moves the clock")
async def test_the_ledger_says_who_waited_how_long_for_whom(desk):
    case = await desk.open()
    item, begun = await desk.add(case.name), desk.clock.now()
    desk.clock.advance(2 * HOUR)
    await desk.item("Start", item.name)
    desk.clock.advance(HOUR)
    await desk.item("Block", item.name, reason_code="supplier")
    desk.clock.advance(4 * HOUR)
    await desk.item("Unblock", item.name)
    desk.clock.advance(HOUR)
    over = {"department": BILLING, "reason_code": "next-step", "asked_customer_again": True}
    await desk.item("HandOver", item.name, **over)
    desk.clock.advance(3 * HOUR)
    await desk.item("Block", item.name, reason_code="customer")
    desk.clock.advance(HOUR)
    back = {"department": DELIVERY, "reason_code": "not-ours"}
    await desk.item("HandOver", item.name, **back)
    first, second, third = lines = await ledger(desk, work_item=item.name)
    at = [timestamp(begun + hours * HOUR) for hours in (0, 2, 3, 7, 8, 11, 12)]
    assert [(each.requesting_department, each.department) for each in lines] == [
        (FRONT_DESK, DELIVERY),
        (DELIVERY, BILLING),
        (BILLING, DELIVERY),
    ]
    assert (first.hand_over_time, first.start_time, first.end_time) == (at[0], at[1], at[4])
    assert [(each.start_time, each.end_time) for each in first.blocks] == [(at[2], at[3])]
    assert (second.reason_code, second.asked_customer_again, second.returned) == ("next-step", True, False)
    assert (second.hand_over_time, second.end_time) == (at[4], at[6])
    assert [(each.start_time, each.end_time) for each in second.blocks] == [(at[5], at[6])]
    assert not second.HasField("start_time")
    assert (third.returned, third.HasField("end_time"), third.case) == (True, False, case.name)
    assert await desk.handoffs.GetHandoff(GetHandoffRequest(name=second.name)) == second
    assert await ledger(desk, department=BILLING) == [second]
    assert await ledger(desk, case=case.name, requesting_department=BILLING) == [third]
    returned = await desk.item("Assign", item.name)
    assert (returned.handoff_count, returned.return_count) == (2, 1)


@pytest.mark.alone("it moves the clock")
async def test_work_that_ended_before_it_was_known_to_go_on_ended_when_that_was_known(desk):
    item, added = await desk.add((await desk.open()).name), desk.clock.now()
    desk.clock.advance(2 * HOUR)
    await desk.item("Start", item.name)
    await desk.item("Block", item.name, reason_code="customer")
    await desk.item("Finish", item.name, finish_time=timestamp(added + HOUR))
    (line,) = await ledger(desk, work_item=item.name)
    assert line.start_time == line.end_time == line.blocks[0].end_time == timestamp(added + 2 * HOUR)


@pytest.mark.parametrize("verb", ["Assign", "Block", "Unblock", "HandOver"])
async def test_a_stale_etag_is_refused_and_so_is_what_is_not_there(desk, refused, verb):
    fields = {
        "Block": {"reason_code": "customer"},
        "HandOver": {"department": BILLING, "reason_code": "not-ours"},
    }.get(verb, {})
    item = await desk.add((await desk.open()).name)
    assert await refused(desk.item(verb, item.name, etag='"9"', **fields)) == "ABORTED ETAG_MISMATCH"
    unknown = desk.item(verb, f"workItems/{uuid4()}", **fields)
    assert await refused(unknown) == "NOT_FOUND RESOURCE_NOT_FOUND"
