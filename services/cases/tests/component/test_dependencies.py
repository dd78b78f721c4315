"""What of a case waits for what, and how late one part makes another."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from cases.domain.work_item import WorkItem
from cases.store.tables import INSERT_WORK_ITEM
from chassis.api.messages import timestamp
from chassis.context import Call, acting, service_itself
from chassis.db.statement import values
from rapport.cases.v1.case_service_pb2 import ResolveCaseRequest
from rapport.common.v1 import states_pb2

pytestmark = pytest.mark.together

Promised = states_pb2.PromiseState
LATE = "predecessor-late"


async def packed_then_delivered(desk, **fields):
    """Two work items of a case, the second after the first."""
    case = await desk.open()
    packed = await desk.add(case.name, department="departments/warehouse", kind="pack-order")
    return packed, await desk.add(case.name, predecessors=[packed.name], **fields)


async def seen(desk, item):
    """A work item as it is now."""
    return await desk.item("Get", item.name)


async def test_a_late_predecessor_makes_what_waits_for_it_late_and_what_was_promised_on_that(desk):
    packed, delivered = await packed_then_delivered(desk, duration_minutes=24 * 60)
    promise = await desk.make(3, work_item=delivered.name)
    await desk.forecast(delivered.name, days=2)
    await desk.forecast(packed.name, days=4, reason_code="out-of-stock")
    late = await seen(desk, delivered)
    assert late.forecast_finish_time == timestamp(desk.in_days(5))
    assert late.forecast_reason_code == LATE
    at_risk = await desk.get(promise.name)
    assert (at_risk.state, at_risk.reason_code) == (Promised.PROMISE_STATE_AT_RISK, LATE)
    said, moved, risk = (await desk.facts("WorkItemForecast", "PromiseAtRisk"))[-3:]
    assert (said.data.work_item, moved.data.work_item) == (packed.name, delivered.name)
    assert (moved.causation_id, risk.causation_id) == (said.id, moved.id)
    assert moved.data.previous_forecast_finish_time == timestamp(desk.in_days(2))


async def test_what_waits_for_blocked_work_is_at_risk_however_far_after_it(desk):
    case = await desk.open()
    first = await desk.add(case.name)
    second = await desk.add(case.name, predecessors=[first.name])
    third = await desk.add(case.name, predecessors=[second.name])
    promise = await desk.make(3, work_item=third.name)

    async def state():
        found = await desk.get(promise.name)
        return Promised.Name(found.state).removeprefix("PROMISE_STATE_"), found.reason_code

    open_, at_risk = ("OPEN", ""), ("AT_RISK", "work-blocked")
    await desk.item("Block", first.name, reason_code="out-of-stock")
    assert await state() == at_risk
    [blocked], [*_, risk] = [await desk.facts(each) for each in ("WorkItemBlocked", "PromiseAtRisk")]
    assert risk.causation_id == blocked.id
    later = await desk.add(case.name, predecessors=[second.name])
    assert (await desk.make(3, work_item=later.name)).state == Promised.PROMISE_STATE_AT_RISK
    await desk.item("RemovePredecessor", third.name, predecessor=second.name)
    assert await state() == open_
    await desk.item("AddPredecessor", third.name, predecessor=second.name)
    assert await state() == at_risk
    await desk.item("Unblock", first.name)
    assert await state() == open_
    for verb, fields in (("HandOver", {"department": "departments/x", "reason_code": "y"}), ("Finish", {})):
        await desk.item("Block", second.name, reason_code="out-of-stock")
        assert await state() == at_risk
        await desk.item(verb, second.name, **fields)
        assert await state() == open_


async def test_a_better_forecast_of_a_predecessor_brings_back_what_the_department_said(desk):
    packed, delivered = await packed_then_delivered(desk)
    promise = await desk.make(3, work_item=delivered.name)
    await desk.forecast(delivered.name, days=2, reason_code="weather")
    await desk.forecast(packed.name, days=4)
    await desk.forecast(packed.name, days=1)
    back = await seen(desk, delivered)
    assert (back.forecast_finish_time, back.forecast_reason_code) == (timestamp(desk.in_days(2)), "weather")
    assert (await desk.get(promise.name)).state == Promised.PROMISE_STATE_OPEN


async def test_a_forecast_is_never_before_what_it_waits_for(desk):
    packed, delivered = await packed_then_delivered(desk)
    await desk.forecast(packed.name, days=4)
    said = await desk.forecast(delivered.name, days=2, reason_code="weather")
    assert (said.forecast_finish_time, said.forecast_reason_code) == (timestamp(desk.in_days(4)), LATE)
    await desk.forecast(packed.name, days=1)
    assert (await seen(desk, delivered)).forecast_reason_code == "weather"


async def test_what_is_added_after_late_work_is_late_at_once(desk):
    case = await desk.open()
    packed = await desk.add(case.name)
    await desk.forecast(packed.name, days=4)
    added = await desk.add(case.name, predecessors=[packed.name, packed.name], duration_minutes=60)
    assert list(added.predecessors) == [packed.name]
    assert added.forecast_finish_time == timestamp(desk.in_days(4) + timedelta(hours=1))
    created, forecast = [fact for fact in await desk.facts() if fact.resource == added.name]
    assert (created.version, forecast.version, forecast.causation_id) == (1, 2, created.id)


async def test_a_delay_goes_all_the_way_through_parallel_work_once(desk):
    """Two in parallel, one after both: told once, because of the later one."""
    case = await desk.open()
    first = await desk.add(case.name)
    short = await desk.add(case.name, predecessors=[first.name], duration_minutes=60)
    long = await desk.add(case.name, predecessors=[first.name], duration_minutes=600)
    last = await desk.add(case.name, predecessors=[short.name, long.name])
    await desk.forecast(first.name, days=1)
    assert (await seen(desk, last)).forecast_finish_time == timestamp(desk.in_days(1) + timedelta(hours=10))
    told = await desk.facts("WorkItemForecast")
    assert [fact.data.work_item for fact in told].count(last.name) == 1
    (of_long,) = [fact for fact in told if fact.data.work_item == long.name]
    assert told[-1].causation_id == of_long.id


@pytest.mark.alone("the clock is moved")
async def test_work_that_is_finished_later_than_was_expected_makes_what_waits_for_it_late(desk):
    packed, delivered = await packed_then_delivered(desk, duration_minutes=48 * 60)
    promise = await desk.make(3, work_item=delivered.name)
    desk.clock.advance(timedelta(days=1.5))
    await desk.item("Finish", packed.name)
    assert (await desk.get(promise.name)).reason_code == LATE
    finished, moved = (await desk.facts("WorkItemFinished", "WorkItemForecast"))[-2:]
    assert moved.causation_id == finished.id
    await desk.item("Finish", delivered.name)
    assert (await desk.get(promise.name)).state == Promised.PROMISE_STATE_KEPT


async def test_work_may_be_begun_and_finished_before_what_it_waits_for(desk):
    packed, delivered = await packed_then_delivered(desk)
    await desk.item("Start", delivered.name)
    done = await desk.item("Finish", delivered.name)
    await desk.forecast(packed.name, days=9)
    assert await seen(desk, done) == done


async def test_a_dependency_is_added_and_removed_once(desk):
    case = await desk.open()
    packed, delivered = [await desk.add(case.name) for _ in range(2)]
    await desk.forecast(packed.name, days=4)
    await desk.forecast(delivered.name, days=2, reason_code="weather")
    waits = await desk.item("AddPredecessor", delivered.name, predecessor=packed.name)
    assert (list(waits.predecessors), waits.forecast_reason_code) == ([packed.name], LATE)
    assert await desk.item("AddPredecessor", delivered.name, predecessor=packed.name) == waits
    free = await desk.item("RemovePredecessor", delivered.name, predecessor=packed.name)
    assert (list(free.predecessors), free.forecast_reason_code) == ([], "weather")
    assert await desk.item("RemovePredecessor", delivered.name, predecessor=packed.name) == free
    assert [fact.data.updated_fields for fact in await desk.facts("WorkItemUpdated")] == [
        ["predecessors"]
    ] * 2


async def test_a_forecast_that_rested_on_a_predecessor_alone_stands_without_it(desk):
    packed, delivered = await packed_then_delivered(desk)
    await desk.forecast(packed.name, days=4)
    free = await desk.item("RemovePredecessor", delivered.name, predecessor=packed.name)
    assert free.forecast_finish_time == timestamp(desk.in_days(4))
    await desk.forecast(packed.name, days=1)
    assert (await seen(desk, delivered)).forecast_finish_time == timestamp(desk.in_days(4))


async def test_nothing_waits_for_itself(desk, refused):
    case = await desk.open()
    first = await desk.add(case.name)
    second = await desk.add(case.name, predecessors=[first.name])
    third = await desk.add(case.name, predecessors=[second.name])
    for on in (third, second, first):
        circle = desk.item("AddPredecessor", first.name, predecessor=on.name)
        assert await refused(circle) == "FAILED_PRECONDITION DEPENDENCY_CYCLE"
    assert list((await seen(desk, first)).predecessors) == []


async def test_work_waits_for_work_of_its_own_case(desk, refused):
    case = await desk.open()
    item, elsewhere = await desk.add(case.name), await desk.add((await desk.open()).name)
    for call in (
        desk.item("AddPredecessor", item.name, predecessor=elsewhere.name),
        desk.add(case.name, predecessors=[elsewhere.name]),
    ):
        assert await refused(call) == "FAILED_PRECONDITION CASE_MISMATCH"
    unknown = f"workItems/{uuid4()}"
    for call in (
        desk.item("AddPredecessor", item.name, predecessor=unknown),
        desk.item("AddPredecessor", unknown, predecessor=item.name),
        desk.add(case.name, predecessors=[unknown]),
    ):
        assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("verb", ["AddPredecessor", "RemovePredecessor"])
async def test_a_stale_etag_is_refused_and_so_is_finished_work(desk, refused, verb):
    packed, delivered = await packed_then_delivered(desk)
    stale = desk.item(verb, delivered.name, predecessor=packed.name, etag='"9"')
    assert await refused(stale) == "ABORTED ETAG_MISMATCH"
    await desk.item("Finish", delivered.name)
    late = desk.item(verb, delivered.name, predecessor=packed.name)
    assert await refused(late) == "FAILED_PRECONDITION WORK_ITEM_FINISHED"


async def test_a_case_has_two_hundred_work_items_at_most_and_a_delay_goes_through_all(desk, refused):
    case = await desk.open()
    first = await desk.add(case.name)
    now, (case_id, before) = desk.clock.now(), (UUID(case.name[6:]), UUID(first.name[10:]))
    with acting(Call("fill", service_itself("cases"))):
        async with desk.running.db.transaction() as tx:
            for _ in range(198):
                item = WorkItem(
                    uuid4(), case_id, uuid4(), "delivery", "leg", "", now, now, predecessor_ids=[before]
                )
                await INSERT_WORK_ITEM.run(tx, **values(item))
                before = item.id
    last = await desk.add(case.name, predecessors=[f"workItems/{before}"])
    assert await refused(desk.add(case.name)) == "FAILED_PRECONDITION WORK_ITEM_LIMIT"
    await desk.forecast(first.name, days=4)
    assert (await seen(desk, last)).forecast_finish_time == timestamp(desk.in_days(4))
    resolving = desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="delivered"))
    assert await refused(resolving) == "FAILED_PRECONDITION WORK_ITEM_OPEN"
