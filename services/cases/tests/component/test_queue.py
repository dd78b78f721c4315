"""What agents are given to do next."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from cases.rpc import queue as rpc
from cases.store.queue import CANDIDATES, LANES
from cases.store.tables import LOCK_WORK_ITEM, WORK_ITEM
from cases.usecases import queue, queue_reading
from cases.usecases.queue_measuring import OLDEST, WORK, measure_queues
from chassis.api.messages import moment
from chassis.context import Call, acting, service_itself
from rapport.cases.v1.case_service_pb2 import AssignCaseRequest
from rapport.cases.v1.clock_policy_service_pb2 import CreateClockPolicyRequest
from rapport.cases.v1.directory_service_pb2 import UpdateAgentRequest
from rapport.cases.v1.presence_service_pb2 import SetPresenceRequest
from rapport.cases.v1.promise_service_pb2 import RenegotiatePromiseRequest, WithdrawPromiseRequest
from rapport.cases.v1.queue_pb2 import Queue, QueuedWork
from rapport.cases.v1.queue_service_pb2 import (
    GetQueueRequest,
    ListQueuedWorkRequest,
    Nothing,
    TakeNextWorkRequest,
    WatchQueueRequest,
)
from rapport.cases.v1.work_item_service_pb2 import GetWorkItemRequest, ListWorkItemsRequest
from rapport_testing.wait import eventually

DELIVERY = "departments/delivery"
PROMISE, CLOCK, AGE = (getattr(QueuedWork, f"DEADLINE_BASIS_{each}") for each in ("PROMISE", "CLOCK", "AGE"))


@pytest.fixture
async def bob(desk):
    return await desk.agent("agents/bob", DELIVERY)


async def taken_by(desk, agent, **fields):
    return await desk.queue.TakeNextWork(TakeNextWorkRequest(name=agent, **fields))


async def next_of(desk, agent, **fields):
    return (await taken_by(desk, agent, **fields)).work


async def nothing_for(desk, agent):
    taken = await taken_by(desk, agent)
    assert not taken.HasField("work")
    return taken.nothing


async def due_of(desk, work_item):
    row = await WORK_ITEM.one(desk.running.db, id=work_item.name.partition("/")[2])
    return row.deadline_time


def due(desk, work_item, at):
    """Until it is known by when work is to be done."""

    async def seen():
        return await due_of(desk, work_item) == at

    return eventually(seen)


async def test_an_agent_is_given_what_is_due_first_and_told_why(desk, bob):
    aged = await desk.add((await desk.open()).name)
    promised, promise = await desk.promised_work(2)
    await due(desk, promised, moment(promise.due_time))
    given = await next_of(desk, bob)
    assert (given.work_item.name, given.work_item.assignee) == (promised.name, bob)
    assert (given.deadline_basis, given.deadline_time) == (PROMISE, promise.due_time)
    assert not given.deadline_near
    given = await next_of(desk, bob)
    assert (given.work_item.name, given.deadline_basis) == (aged.name, AGE)
    assert (await nothing_for(desk, bob)).reason == Nothing.REASON_EMPTY
    told = [(each.resource, each.data.assignee) for each in await desk.facts("WorkItemAssigned")]
    assert told == [(promised.name, bob), (aged.name, bob)]


async def test_a_deadline_moves_with_what_was_promised(desk, bob):
    work_item, promise = await desk.promised_work(2)
    await due(desk, work_item, moment(promise.due_time))
    renegotiated = await desk.promises.RenegotiatePromise(
        RenegotiatePromiseRequest(
            name=promise.name,
            due_time=promise.due_time.__class__(seconds=promise.due_time.seconds + 60),
            reason_code="customer-agreed",
        )
    )
    successor = await desk.get(renegotiated.successor)
    await due(desk, work_item, moment(successor.due_time))
    await desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=successor.name, reason_code="taken-back"))
    await due(desk, work_item, desk.in_days(3))


async def test_a_deadline_is_that_of_a_clock_when_that_is_sooner(desk, bob):
    policy = {
        "display_name": "Deliver",
        "department": DELIVERY,
        "subject": "SUBJECT_WORK_ITEM",
        "condition": "true",
        "targets": [{"metric": "CLOCK_METRIC_RESOLUTION", "business_minutes": 90, "warning_minutes": 10}],
    }
    await desk.clock_policies.CreateClockPolicy(
        CreateClockPolicyRequest(clock_policy_id="deliver", clock_policy=policy)
    )
    work_item, _ = await desk.promised_work(2)
    await due(desk, work_item, desk.in_days(90 / 1440))
    given = await next_of(desk, bob)
    assert (given.deadline_basis, given.deadline_near) == (CLOCK, True)


async def test_who_knows_the_customer_is_given_their_work(desk, bob):
    alice = await desk.agent("agents/alice", DELIVERY)
    first = await desk.add((await desk.open()).name)
    desk.customer = f"customers/{uuid4()}"
    case = await desk.open(owner=alice)
    known = await desk.add(case.name)
    given = await next_of(desk, alice)
    assert (given.work_item.name, given.continuity_minutes) == (known.name, 120)
    assert (await next_of(desk, bob)).work_item.name == first.name
    # She has done their work before, also when she does not own the case any more.
    await desk.cases.AssignCase(AssignCaseRequest(name=case.name, owner="agents/front-desk"))
    await desk.item("Finish", known.name)
    again = await desk.add(case.name)
    given = await next_of(desk, alice)
    assert (given.work_item.name, given.continuity_minutes) == (again.name, 120)


async def test_what_cannot_be_done_now_is_given_to_nobody(desk, bob):
    case = await desk.open()
    before = await desk.add(case.name)
    after = await desk.add(case.name, predecessors=[before.name])
    blocked = await desk.add(case.name)
    await desk.item("Block", blocked.name, reason_code="supplier")
    begun = await desk.add(case.name)
    await desk.item("Start", begun.name)
    await desk.add(case.name, department="departments/billing")
    assert (await next_of(desk, bob)).work_item.name == before.name
    assert (await nothing_for(desk, bob)).reason == Nothing.REASON_EMPTY
    await desk.item("Finish", before.name)
    assert (await next_of(desk, bob)).work_item.name == after.name
    await desk.item("Unblock", blocked.name)
    assert (await next_of(desk, bob)).work_item.name == blocked.name
    await desk.item("Assign", blocked.name)  # put back
    assert (await next_of(desk, bob)).work_item.name == blocked.name


async def test_what_is_held_for_a_moment_is_given_all_the_same(desk, bob, monkeypatch):
    """A timer that looks at the only work there is does not make the queue empty."""
    work_item = await desk.add((await desk.open()).name)
    monkeypatch.setattr(queue, "PASSES", 1_000)  # however slow the machine is
    held = UUID(work_item.name.partition("/")[2])
    with acting(Call("hold", service_itself("cases"))):
        async with desk.running.db.transaction() as tx:
            await LOCK_WORK_ITEM.one(tx, id=held)
            asked = asyncio.ensure_future(next_of(desk, bob))
            await asyncio.wait([asked], timeout=0.1)
            assert not asked.done()
    assert (await asked).work_item.name == work_item.name


@pytest.mark.parametrize("moves", ["HandOver", "AddPredecessor"])
async def test_what_goes_elsewhere_while_it_is_chosen_is_not_given(desk, bob, monkeypatch, moves):
    case = await desk.open()
    blocked = await desk.add(case.name)
    await desk.item("Block", blocked.name, reason_code="supplier")
    chosen = await desk.add(case.name)
    said = {"HandOver": {"department": "departments/billing", "reason_code": "not-ours"}}
    candidates, left = queue._candidates, [chosen]

    async def then_it_goes(*args):
        found = await candidates(*args)
        if left:
            await desk.item(moves, left.pop().name, **said.get(moves, {"predecessor": blocked.name}))
        return found

    monkeypatch.setattr(queue, "_candidates", then_it_goes)
    assert (await nothing_for(desk, bob)).reason == Nothing.REASON_EMPTY
    assert left == []
    now = await desk.work_items.GetWorkItem(GetWorkItemRequest(name=chosen.name))
    assert now.assignee == ""


async def test_the_same_request_is_answered_with_the_same_work(desk, bob):
    case = await desk.open()
    for _ in range(2):
        await desk.add(case.name)
    request_id = str(uuid4())
    given = await next_of(desk, bob, request_id=request_id)
    assert await next_of(desk, bob, request_id=request_id) == given
    assert (await next_of(desk, bob)).work_item.name not in ("", given.work_item.name)


async def test_who_serves_nobody_is_given_nothing(desk, bob, refused):
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent={"name": bob, "inactive": True}))
    assert await refused(next_of(desk, bob)) == "FAILED_PRECONDITION AGENT_INACTIVE"
    assert await refused(next_of(desk, "agents/nobody")) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_of_a_hundred_agents_who_ask_at_once_each_is_given_work_that_nobody_else_has(desk):
    agents = [await desk.agent(f"agents/a{n}", DELIVERY) for n in range(100)]
    for _ in range(10):
        case = await desk.open()
        await asyncio.gather(*(desk.add(case.name) for _ in range(10)))
    given = await asyncio.gather(*(next_of(desk, each) for each in agents))
    names = {each.work_item.name for each in given}
    assert len(names) == 100
    assert "" not in names
    assert [each.work_item.assignee for each in given] == agents
    assert (await nothing_for(desk, agents[0])).reason == Nothing.REASON_EMPTY
    for agent in agents:
        own = await desk.work_items.ListWorkItems(ListWorkItemsRequest(filter=f"assignee = {agent}"))
        assert len(own.work_items) == 1


async def test_what_others_hold_at_the_moment_is_passed_over_however_much_it_is(desk, bob):
    case = await desk.open()
    held = [await desk.add(case.name) for _ in range(40)]  # more than are looked at at once
    free = await desk.add(case.name)
    with acting(Call("hold", service_itself("cases"))):
        async with desk.running.db.transaction() as tx, asyncio.timeout(10):
            for each in held:
                await LOCK_WORK_ITEM.one(tx, id=each.name.partition("/")[2])
            assert (await next_of(desk, bob)).work_item.name == free.name


async def queue_of(desk, **asked):
    return await desk.queue.GetQueue(GetQueueRequest(name=f"{DELIVERY}/queue", **asked))


async def test_a_queue_says_what_waits_how_long_and_what_comes_first(desk, bob):
    team = await desk.team("returns")
    case = await desk.open()
    late = await desk.add(case.name)
    desk.clock.advance(timedelta(minutes=30))
    for_team = await desk.add(case.name, team=team, language_code="fr")
    taken = await desk.add(case.name)
    await desk.item("Assign", taken.name, assignee=bob)
    queue = await queue_of(desk)
    assert (queue.waiting_count, queue.overdue_count, queue.available_agent_count) == (2, 0, 0)
    assert queue.oldest_time == late.create_time
    assert [each.work_item.name for each in queue.first] == [late.name, for_team.name]
    assert [each.language_reserved for each in queue.first] == [False, True]
    assert [each.wait_minutes for each in queue.first] == [30, 0]
    desk.clock.advance(timedelta(days=3))
    await desk.presences.SetPresence(SetPresenceRequest(name=f"{bob}/presence", state="STATE_AVAILABLE"))

    async def are(wanted, **asked):  # while work goes to another lane, for who speaks any language
        queue = await queue_of(desk, **asked)
        assert (queue.waiting_count, queue.overdue_count, queue.available_agent_count) == wanted
        return True

    await eventually(lambda: are((1, 0, 1), team=team))
    desk.clock.advance(timedelta(hours=1))
    await eventually(lambda: are((2, 2, 0)))
    assert await queue_of(desk, team="teams/none") == Queue(
        name=f"{DELIVERY}/queue", department=DELIVERY, available_agent_count=0
    )


async def test_a_queue_is_listed_in_the_order_in_which_it_is_given_out_page_by_page(desk):
    team = await desk.team("returns")
    dues, asked = (2, 5, 6, 3, 9, 1, 7), {"parent": f"{DELIVERY}/queue", "page_size": 3}
    for hours, skills in zip(dues, ([], ["a"], ["b"], ["a", "b"], [], ["c"], []), strict=True):
        item = await desk.add(
            (await desk.open()).name, required_skills=skills, team=team if "c" in skills else ""
        )
        promise = await desk.make(due_days=hours / 24, work_item=item.name)
        await due(desk, item, moment(promise.due_time))
    agent = await desk.agent("agents/all", DELIVERY, skills=["a", "b", "c"], teams=[team])
    listed, token = [], ""
    while len(listed) < len(dues):
        page = await desk.queue.ListQueuedWork(ListQueuedWorkRequest(**asked, page_token=token))
        listed += [each.work_item.name for each in page.queued_works]
        token = page.next_page_token
    assert token == ""
    assert listed == [(await next_of(desk, agent)).work_item.name for _ in dues]
    one = await desk.queue.ListQueuedWork(ListQueuedWorkRequest(parent=f"{DELIVERY}/queue", team=team))
    assert not one.queued_works


async def test_who_watches_a_queue_is_told_when_it_changes(desk, bob, monkeypatch):
    monkeypatch.setattr(rpc, "PAUSE_S", 0.05)
    monkeypatch.setattr(queue_reading, "KEPT_S", 0.01)
    streams = [desk.queue.WatchQueue(WatchQueueRequest(name=f"{DELIVERY}/queue")) for _ in range(2)]
    try:
        async with asyncio.timeout(20):
            assert [(await anext(aiter(each))).waiting_count for each in streams] == [0, 0]
            item = await desk.add((await desk.open()).name)
            for stream in streams:
                told = await anext(aiter(stream))
                assert [each.work_item.name for each in told.first] == [item.name]
            await next_of(desk, bob)
            assert [(await anext(aiter(each))).waiting_count for each in streams] == [0, 0]
    finally:
        for stream in streams:
            stream.cancel()


async def test_what_waits_is_measured_and_what_is_overdue_where_nobody_is_available(desk, bob):
    def measured():
        return {
            sample.labels["state"]: sample.value for family in WORK.collect() for sample in family.samples
        }

    async def look():
        await measure_queues(desk.running.db)
        return measured()

    await desk.add((await desk.open()).name)
    await desk.add((await desk.open()).name, department="departments/billing")
    assert await look() == {"waiting": 2, "overdue": 0, "unattended": 0}
    desk.clock.advance(timedelta(days=4))
    assert await look() == {"waiting": 2, "overdue": 2, "unattended": 0}  # nobody uses the desk there
    said = SetPresenceRequest(name=f"{bob}/presence", state="STATE_AVAILABLE")
    await desk.presences.SetPresence(said)
    assert (await look())["unattended"] == 0
    desk.clock.advance(timedelta(minutes=2))
    assert await look() == {"waiting": 2, "overdue": 2, "unattended": 1}
    [oldest] = [sample.value for family in OLDEST.collect() for sample in family.samples]
    assert oldest == timedelta(days=4, minutes=2).total_seconds()


async def test_what_somebody_can_do_is_found_by_indexes_however_much_waits_that_they_cannot(desk, bob):
    """Whatever was planned: each lane is a range of an index, and what others wait for is not looked at."""
    for n in range(3):
        await desk.add((await desk.open()).name, required_skills=[f"s{n}"])
    now = desk.clock.now().isoformat()
    lanes = "'{skill:s0,skill:s1}'"
    values = {
        "department_id": "'delivery'",
        "lanes": lanes,
        "but": "'{}'",
        "near": f"'{now}'",
        "most": "16",
        "agent_id": "'bob'",
    }
    async with desk.running.db.connection() as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute("SET enable_seqscan = off")  # which so few rows are read by otherwise
        for statement in (LANES, CANDIDATES):
            await connection.execute(f"PREPARE looked AS {statement.sql}")
            given = ", ".join(values[name] for name, _ in statement.binds)
            rows = await connection.fetch(f"EXPLAIN EXECUTE looked ({given})")
            await connection.execute("DEALLOCATE looked")
            plan = "\n".join(row[0] for row in rows)
            assert "Seq Scan on work_items" not in plan
            assert "work_items_lane_" in plan
        await connection.execute("RESET plan_cache_mode; RESET enable_seqscan")
    assert "(lane = lanes.lane)" in plan
    assert "work_items_lane_deadline" in plan
    assert "work_items_lane_rank" in plan
    assert "work_items_queue_customer" in plan
