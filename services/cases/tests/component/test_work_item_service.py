from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.api.messages import timestamp
from rapport.cases.v1 import work_item_pb2
from rapport.cases.v1.case_service_pb2 import ResolveCaseRequest
from rapport.cases.v1.work_item_service_pb2 import (
    CreateWorkItemRequest,
    FinishWorkItemRequest,
    ForecastWorkItemRequest,
    GetWorkItemRequest,
    ListWorkItemsRequest,
    StartWorkItemRequest,
)
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1 import states_pb2
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

State = work_item_pb2.WorkItem.State
Promised = states_pb2.PromiseState


async def test_who_begins_what_nobody_has_has_it_if_they_work_there(desk):
    """Bob of delivery; neither Carol of billing, who begins for it, nor a system of delivery's."""
    for who, department in (("bob", "delivery"), ("carol", "billing")):
        await desk.agent(f"agents/{who}", f"departments/{department}")
    writes = ["cases.work_items.write"]
    case = (await desk.open()).name
    had = []
    for subject in ("agent:bob", "agent:carol", "service:carrier"):
        stub = desk.running.stub(WorkItemServiceStub, writes, subject, "delivery")
        item = await desk.add(case)
        had.append((await stub.StartWorkItem(StartWorkItemRequest(name=item.name))).assignee)
    assert had == ["agents/bob", "", ""]
    [assigned] = await desk.facts("WorkItemAssigned")
    started = (await desk.facts("WorkItemStarted"))[0]
    assert (assigned.version, started.version) == (2, 3)
    assert (assigned.data.assignee, started.causation_id) == ("agents/bob", assigned.id)


async def test_what_somebody_else_has_stays_theirs_when_it_is_begun(desk):
    ann, _ = [await desk.agent(f"agents/{who}", "departments/delivery") for who in ("ann", "bob")]
    item = await desk.add((await desk.open()).name)
    await desk.item("Assign", item.name, assignee=ann)
    bob = desk.running.stub(WorkItemServiceStub, ["cases.work_items.write"], "agent:bob", "delivery")
    assert (await bob.StartWorkItem(StartWorkItemRequest(name=item.name))).assignee == ann


async def test_a_work_item_is_added_started_and_finished(desk):
    case = await desk.open()
    added = await desk.add(case.name)
    assert (added.state, added.department) == (State.STATE_PENDING, "departments/delivery")
    started = await desk.work_items.StartWorkItem(StartWorkItemRequest(name=added.name, etag=added.etag))
    assert started.state == State.STATE_STARTED
    finished = await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=added.name))
    assert finished.state == State.STATE_FINISHED
    assert finished.finish_time == timestamp(desk.clock.now())
    assert await desk.work_items.GetWorkItem(GetWorkItemRequest(name=added.name)) == finished
    told = await desk.facts("WorkItemCreated", "WorkItemStarted", "WorkItemFinished")
    assert [(fact.resource, fact.data.state, fact.version) for fact in told] == [
        (added.name, State.STATE_PENDING, 1),
        (added.name, State.STATE_STARTED, 2),
        (added.name, State.STATE_FINISHED, 3),
    ]
    assert {(fact.data.customer, fact.data.kind, fact.data.department) for fact in told} == {
        (desk.customer, "deliver-order", "departments/delivery")
    }
    assert told[1].data.start_time == started.start_time == finished.start_time


async def test_work_is_told_as_it_was_asked_for(desk):
    asked = work_item_pb2.WorkItem(
        case=(await desk.open()).name,
        department="departments/delivery",
        kind="other",
        display_name="Найти посылку",
    )
    added = await desk.work_items.CreateWorkItem(CreateWorkItemRequest(work_item=asked))
    found = await desk.work_items.GetWorkItem(GetWorkItemRequest(name=added.name))
    assert found.display_name == asked.display_name
    assert asked.display_name not in str([fact.data for fact in await desk.facts()])


async def test_a_late_forecast_puts_the_promise_at_risk_because_of_the_forecast(desk):
    work_item, promise = await desk.promised_work(due_days=3)
    forecast = await desk.forecast(work_item.name, days=5)
    assert forecast.forecast_finish_time == timestamp(desk.in_days(5))
    at_risk = await desk.get(promise.name)
    assert (at_risk.state, at_risk.reason_code) == (Promised.PROMISE_STATE_AT_RISK, "carrier-delay")
    assert at_risk.forecast_time == timestamp(desk.in_days(5))
    cause, told = await desk.facts("WorkItemForecast", "PromiseAtRisk")
    assert told.causation_id == cause.id
    assert (told.data.promise, told.data.forecast_time) == (promise.name, at_risk.forecast_time)
    assert told.version == 2


async def test_one_forecast_tells_its_late_promise_once_and_no_other(desk):
    work_item, late = await desk.promised_work(due_days=3)
    _, beside = await desk.promised_work(due_days=3)
    elsewhere = await desk.make(3)
    for _ in range(2):
        await desk.forecast(work_item.name, days=5)
    assert [fact.data.promise for fact in await desk.facts("PromiseAtRisk")] == [late.name]
    for promise in (beside, elsewhere):
        assert (await desk.get(promise.name)).state == Promised.PROMISE_STATE_OPEN


async def test_a_promise_made_on_work_that_is_forecast_late_is_at_risk_at_once(desk):
    work_item = await desk.add((await desk.open()).name)
    await desk.forecast(work_item.name, days=5, reason_code="weather")
    made = await desk.make(3, work_item=work_item.name)
    assert (made.state, made.reason_code) == (Promised.PROMISE_STATE_AT_RISK, "weather")
    (told,) = await desk.facts("PromiseAtRisk")
    assert (told.resource, told.version) == (made.name, 2)


@pytest.mark.alone("the clock is moved")
@pytest.mark.parametrize(
    ("after_days", "state"), [(3, Promised.PROMISE_STATE_KEPT), (3.001, Promised.PROMISE_STATE_KEPT_LATE)]
)
async def test_finishing_the_work_keeps_the_promise_in_time_or_late(desk, after_days, state):
    work_item, promise = await desk.promised_work(due_days=3)
    desk.clock.advance(timedelta(days=after_days))
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=work_item.name))
    assert (await desk.get(promise.name)).state == state
    finished, kept = await desk.facts("WorkItemFinished", "PromiseKept")
    assert kept.causation_id == finished.id
    assert kept.data.state == state


@pytest.mark.alone("the clock is moved")
async def test_work_and_its_promise_say_when_they_were_recorded_and_last_changed(desk):
    work_item, promise = await desk.promised_work(due_days=3)
    made, past = timestamp(desk.clock.now()), timestamp(desk.in_days(-9))
    old = await desk.make(-5, make_time=past, keep_time=timestamp(desk.in_days(-6)))
    desk.clock.advance(timedelta(hours=1))
    forecast = await desk.forecast(work_item.name, days=5)
    changed, now = await desk.get(promise.name), timestamp(desk.clock.now())
    for each in (forecast, changed):
        assert (each.create_time, each.update_time) == (made, now)
    assert (old.make_time, old.create_time) == (past, made)


@pytest.mark.alone("the clock is moved")
async def test_work_is_finished_when_the_department_says_it_was(desk):
    work_item, promise = await desk.promised_work(due_days=3)
    desk.clock.advance(timedelta(days=4))
    done_at = timestamp(desk.in_days(-2))
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=work_item.name, finish_time=done_at))
    kept = await desk.get(promise.name)
    assert (kept.state, kept.keep_time) == (Promised.PROMISE_STATE_KEPT, done_at)


async def test_work_is_finished_now_by_a_clock_that_is_ahead(desk):
    work_item, promise = await desk.promised_work(due_days=3)
    request = FinishWorkItemRequest(
        name=work_item.name, finish_time=timestamp(desk.clock.now() + timedelta(seconds=60))
    )
    now = timestamp(desk.clock.now())
    assert (await desk.work_items.FinishWorkItem(request)).finish_time == now
    assert (await desk.get(promise.name)).keep_time == now


async def test_work_is_not_finished_before_it_was_added(desk, refused):
    work_item, promise = await desk.promised_work(due_days=3)
    old = timestamp(desk.in_days(-9000))
    request = FinishWorkItemRequest(name=work_item.name, finish_time=old)
    assert await refused(desk.work_items.FinishWorkItem(request)) == "INVALID_ARGUMENT INVALID_TIME"
    assert await desk.get(promise.name) == promise


@pytest.mark.alone("the clock is moved")
async def test_work_that_was_done_before_it_was_promised_keeps_the_promise_at_once(desk):
    work_item = await desk.add((await desk.open()).name)
    done_at = timestamp(desk.clock.now())
    desk.clock.advance(timedelta(hours=1))
    later = await desk.make(3, work_item=work_item.name)
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=work_item.name, finish_time=done_at))
    kept = await desk.get(later.name)
    assert (kept.state, kept.keep_time) == (Promised.PROMISE_STATE_KEPT, later.make_time)


async def test_a_better_forecast_takes_a_promise_out_of_danger_because_of_the_forecast(desk):
    work_item, promise = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=5)
    await desk.forecast(work_item.name, days=2)
    recovered = await desk.get(promise.name)
    assert (recovered.state, recovered.reason_code) == (Promised.PROMISE_STATE_OPEN, "")
    assert not recovered.HasField("forecast_time")
    *_, cause, told = await desk.facts("WorkItemForecast", "PromiseRecovered")
    assert (told.causation_id, told.version) == (cause.id, 3)
    assert told.data.forecast_time == timestamp(desk.in_days(2))


@pytest.mark.alone("the clock is moved")
async def test_a_promise_that_recovers_when_it_is_due_soon_is_at_risk_by_the_clock(desk):
    work_item, promise = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=5)
    desk.clock.advance(timedelta(days=2.5))
    await desk.forecast(work_item.name, days=0.4)
    assert [fact.data.DESCRIPTOR.name for fact in await desk.facts()][-2:] == [
        "PromiseRecovered",
        "PromiseAtRisk",
    ]
    assert (await desk.get(promise.name)).reason_code == "work-unassigned"


@pytest.mark.alone("the clock is moved")
async def test_a_broken_promise_is_told_of_every_new_forecast(desk):
    work_item, promise = await desk.promised_work(due_days=3)
    desk.clock.advance(timedelta(days=4))
    await eventually(lambda: desk.facts("PromiseBroken"))
    await desk.forecast(work_item.name, days=1)
    *_, told = await desk.facts("PromiseAtRisk")
    assert (told.data.state, told.data.forecast_time) == (
        Promised.PROMISE_STATE_BROKEN,
        timestamp(desk.in_days(1)),
    )
    assert (await desk.get(promise.name)).state == Promised.PROMISE_STATE_BROKEN


async def test_finished_work_is_final(desk, refused):
    work_item, _ = await desk.promised_work()
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=work_item.name))
    finished = "FAILED_PRECONDITION WORK_ITEM_FINISHED"
    again = FinishWorkItemRequest(name=work_item.name)
    assert await refused(desk.work_items.FinishWorkItem(again)) == finished
    assert await refused(desk.forecast(work_item.name, days=5)) == finished
    assert await refused(desk.make(3, work_item=work_item.name)) == finished
    start = StartWorkItemRequest(name=work_item.name)
    assert await refused(desk.work_items.StartWorkItem(start)) == "FAILED_PRECONDITION WORK_ITEM_STARTED"


async def test_a_resolved_case_gets_no_more_work(desk, refused):
    case = await desk.open()
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="delivered"))
    assert await refused(desk.add(case.name)) == "FAILED_PRECONDITION CASE_RESOLVED"


async def test_work_items_are_listed_oldest_first(desk):
    case = await desk.open()
    names = [(await desk.add(case.name)).name for _ in range(3)]
    await desk.add((await desk.open()).name)
    page = {"filter": f"case = {case.name}", "page_size": 2}
    first = await desk.work_items.ListWorkItems(ListWorkItemsRequest(**page))
    rest = await desk.work_items.ListWorkItems(ListWorkItemsRequest(**page, page_token=first.next_page_token))
    assert [item.name for item in [*first.work_items, *rest.work_items]] == names
    assert rest.next_page_token == ""


async def test_a_stale_etag_is_refused(desk, refused):
    work_item, _ = await desk.promised_work()
    stale = StartWorkItemRequest(name=work_item.name, etag='"9"')
    assert await refused(desk.work_items.StartWorkItem(stale)) == "ABORTED ETAG_MISMATCH"


@pytest.mark.alone("all there is is counted")
async def test_a_department_lists_what_is_left_for_it(desk):
    done, waiting = await desk.add((await desk.open()).name), await desk.add((await desk.open()).name)
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=done.name))
    for department, names in (("delivery", [waiting.name]), ("billing", [])):
        queue = f"department = departments/{department} AND state = PENDING"
        page = await desk.work_items.ListWorkItems(ListWorkItemsRequest(filter=queue))
        assert [item.name for item in page.work_items] == names


async def test_what_is_unknown_is_neither_changed_nor_promised_on(desk, refused):
    unknown = f"workItems/{uuid4()}"
    assert await refused(desk.forecast(unknown, days=5)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(desk.make(3, work_item=unknown)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(desk.add(f"cases/{uuid4()}")) == "NOT_FOUND RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("days", "reason_code", "reason"),
    [
        (-1, "other", "INVALID_TIME"),
        (3700, "other", "INVALID_TIME"),
        (5, "BECAUSE", "INVALID_CODE"),
        (5, "", "REQUIRED"),
    ],
)
async def test_a_forecast_is_of_the_next_ten_years_and_has_a_known_reason(
    desk, refused, days, reason_code, reason
):
    work_item, _ = await desk.promised_work()
    assert await refused(desk.forecast(work_item.name, days, reason_code)) == f"INVALID_ARGUMENT {reason}"


async def test_a_forecast_without_a_time_is_refused(desk, refused):
    work_item, _ = await desk.promised_work()
    request = ForecastWorkItemRequest(name=work_item.name, reason_code="other")
    assert await refused(desk.work_items.ForecastWorkItem(request)) == "INVALID_ARGUMENT REQUIRED"


async def test_work_is_not_finished_in_the_future(desk, refused):
    work_item, _ = await desk.promised_work()
    request = FinishWorkItemRequest(name=work_item.name, finish_time=timestamp(desk.in_days(1)))
    assert await refused(desk.work_items.FinishWorkItem(request)) == "INVALID_ARGUMENT INVALID_TIME"


async def test_a_work_item_that_breaks_the_contract_is_refused(desk, refused):
    case = await desk.open()
    wrong = work_item_pb2.WorkItem(
        case=case.name, department="delivery", kind="deliver-order", reference="a b"
    )
    request = CreateWorkItemRequest(work_item=wrong)
    assert await refused(desk.work_items.CreateWorkItem(request)) == "INVALID_ARGUMENT INVALID_NAME"


async def test_no_department_puts_its_own_work_on_a_case_of_others(desk, refused):
    """Nobody but that department could finish it, and the case could not be resolved."""
    case = await desk.open()
    billing = desk.running.stub(WorkItemServiceStub, ["cases.work_items.write"], "agent:paul", "billing")
    work_item = work_item_pb2.WorkItem(case=case.name, department="departments/billing", kind="refund")
    call = billing.CreateWorkItem(CreateWorkItemRequest(work_item=work_item))
    assert await refused(call) == "PERMISSION_DENIED NOT_OWNER"
