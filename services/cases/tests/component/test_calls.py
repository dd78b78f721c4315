"""A person calls the customer: once for what reached nobody, at a time that suits, until they are reached."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import grpc
import pytest
from google.type.date_pb2 import Date

from cases.store.calls import CALL_FOR_NOTICE
from chassis.api.messages import moment, timestamp, value_name
from rapport.cases.v1.calendar_pb2 import Calendar
from rapport.cases.v1.calendar_service_pb2 import CreateCalendarRequest
from rapport.cases.v1.call_service_pb2 import RecordCallOutcomeRequest, RequestCallRequest
from rapport.cases.v1.call_service_pb2_grpc import CallServiceStub
from rapport.cases.v1.case_service_pb2 import GetCaseRequest, ListCasesRequest, ResolveCaseRequest
from rapport.cases.v1.department_pb2 import Department
from rapport.cases.v1.directory_service_pb2 import UpdateDepartmentRequest
from rapport.cases.v1.handoff_service_pb2 import ListHandoffsRequest
from rapport.cases.v1.queue_service_pb2 import TakeNextWorkRequest
from rapport.cases.v1.work_item_service_pb2 import (
    AssignWorkItemRequest,
    GetWorkItemRequest,
    ListWorkItemsRequest,
)
from rapport.notifications.v1.notifications_events_pb2 import NoticeCallRequested
from rapport_testing.running import reason
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

HOUR = timedelta(hours=1)


class Calls:
    """What is done about calls, in words."""

    def __init__(self, desk):
        self.desk = desk
        self.service = desk.running.stub(CallServiceStub)

    async def ask(self, **fields):
        return await self.service.RequestCall(RequestCallRequest(**{"reason_code": "bad-news"} | fields))

    async def record(self, name, outcome, **fields):
        fields = {"outcome": f"CALL_OUTCOME_{outcome}"} | fields
        return await self.service.RecordCallOutcome(RecordCallOutcomeRequest(name=name, **fields))

    async def get(self, name):
        return await self.desk.work_items.GetWorkItem(GetWorkItemRequest(name=name))

    async def of_customer(self, also=""):
        told = f'customer = "{self.desk.customer}" AND kind = call-customer{also}'
        return list((await self.desk.work_items.ListWorkItems(ListWorkItemsRequest(filter=told))).work_items)

    async def requested(self, notice=None, reason_code="no-address", **fields):
        name = f"notices/{notice or uuid4()}"
        told = NoticeCallRequested(
            notice=name, customer=self.desk.customer, reason_code=reason_code, **fields
        )
        event_id = await self.desk.running.deliver(told, resource=name, source="notifications")
        await self.desk.taken_in(event_id)
        return name

    async def next_of(self, agent):
        return (await self.desk.queue.TakeNextWork(TakeNextWorkRequest(name=agent))).work

    async def waits(self, name):
        """Until it is in the queue again."""

        async def in_queue():
            found = await self.get(name)
            return None if found.block_reason_code else found

        return await eventually(in_queue)


@pytest.fixture
async def calls(desk):
    return Calls(desk)


@pytest.fixture
async def at_risk(desk):
    """A promise of which the customer counts on what will not be."""
    item, promise = await desk.promised_work(due_days=3)
    await desk.forecast(item.name, 5)
    return promise


async def test_a_notice_about_a_promise_that_reaches_nobody_is_called_about_once(desk, calls, at_risk):
    notice = await calls.requested(promise=at_risk.name)
    for _ in range(2):
        await calls.requested(notice.removeprefix("notices/"), promise=at_risk.name)
    await calls.requested(promise=at_risk.name)  # of a newer date, while the call waits
    (call,) = await calls.of_customer()
    assert (call.case, call.department) == (at_risk.case, "departments/front-desk")
    assert (call.call.notice, call.call.promise) == (notice, at_risk.name)
    assert call.call.reason_code == "undeliverable-notice"
    await desk.agent("agents/bob")
    given = await calls.next_of("agents/bob")
    assert given.work_item.name == call.name
    assert given.deadline_time == at_risk.due_time  # they are to know before


async def test_who_is_reached_was_told_in_time_by_whom_and_how(desk, calls, at_risk):
    await desk.keep_times("SILENCE", "FIRST_RESPONSE")
    call = await calls.ask(promise=at_risk.name)
    reached = await calls.record(call.name, "REACHED", etag=call.etag)
    assert value_name(reached, "state") == "FINISHED"
    (attempt,) = reached.call.attempts
    assert (value_name(attempt, "outcome"), attempt.caller) == ("REACHED", "agents/alice")
    told = await desk.get(at_risk.name)
    assert (told.notifier, value_name(told, "notify_channel")) == ("agents/alice", "VOICE")
    assert told.delay_notify_time == attempt.end_time
    called, notified = await desk.facts("WorkItemCalled", "PromiseDelayNotified")
    assert (called.data.outcome_code, called.data.promise) == ("reached", at_risk.name)
    assert (called.data.reason_code, called.data.attempt_count) == ("bad-news", 1)
    assert value_name(called.data, "channel") == "VOICE"
    assert notified.data.promise == at_risk.name


@pytest.mark.alone("what it makes is there once")
async def test_who_was_spoken_with_has_had_an_answer_and_no_silence(desk, calls):
    await desk.keep_times("SILENCE", "FIRST_RESPONSE")
    case = await desk.open()
    call = await calls.ask(case=case.name)
    await calls.record(call.name, "NO_ANSWER")
    assert await desk.clock_states(case.name, "FIRST_RESPONSE") == ["RUNNING"]
    await calls.record(call.name, "REACHED")
    assert await desk.clock_states(case.name, "FIRST_RESPONSE") == ["FULFILLED"]
    assert await desk.clock_states(case.name, "SILENCE") == ["FULFILLED", "RUNNING"]


async def test_a_call_without_a_case_is_on_one_that_is_opened_for_it(desk, calls):
    call = await calls.ask(customer=desk.customer, reason_code="feedback")
    case = await desk.cases.GetCase(GetCaseRequest(name=call.case))
    assert (case.customer, case.topic, case.owner) == (desk.customer, "call-customer", "agents/front-desk")
    await calls.record(call.name, "DECLINED")
    done = await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="done"))
    assert value_name(done, "state") == "RESOLVED"


async def test_a_notice_about_a_settled_case_opens_one_that_follows_it(desk, calls):
    case = await desk.open()
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="done"))
    await calls.requested(case=case.name)
    (call,) = await calls.of_customer()
    assert call.case != case.name
    listed = await desk.cases.ListCases(ListCasesRequest(filter=f'customer = "{desk.customer}"'))
    assert {each.topic for each in listed.cases} == {case.topic}
    (link,) = await desk.facts("CaseLinkCreated")
    assert (link.data.case, link.data.linked_case) == (call.case, case.name)


async def test_nobody_is_called_about_what_they_know_or_need_not_know(desk, calls):
    kept = await desk.make()
    await calls.requested(promise=kept.name)  # it is in time after all
    assert await calls.of_customer() == []
    item, promise = await desk.promised_work()
    await desk.forecast(item.name, 5)
    await calls.requested(promise=promise.name)
    (call,) = await calls.of_customer()
    await desk.forecast(item.name, 1)

    async def ended():
        return value_name(await calls.get(call.name), "state") == "FINISHED"

    assert await eventually(ended)
    assert (await calls.get(call.name)).call.attempts == []


async def test_who_is_on_the_telephone_says_themselves_what_became_of_it(desk, calls):
    item, promise = await desk.promised_work()
    await desk.forecast(item.name, 5)
    await calls.requested(promise=promise.name)
    await desk.agent("agents/bob")
    taken = (await calls.next_of("agents/bob")).work_item
    await desk.item("Finish", item.name)
    event = (await eventually(lambda: desk.facts("PromiseKept")))[0]
    await desk.taken_in(event.id)
    assert value_name(await calls.record(taken.name, "REACHED"), "state") == "FINISHED"
    assert not (await desk.get(promise.name)).HasField("delay_notify_time")  # there was nothing bad to tell


@pytest.mark.alone("it moves the clock")
async def test_nobody_answers_it_comes_back_and_after_the_last_attempt_it_is_the_owners(desk, calls):
    await desk.agent("agents/bob")
    await desk.agent("agents/cleo")
    case = await desk.open(owner="agents/cleo")
    call = await calls.ask(case=case.name)
    for made, outcome in enumerate(("NO_ANSWER", "VOICEMAIL"), start=1):
        assert (await calls.next_of("agents/bob")).work_item.name == call.name
        tried = await calls.record(call.name, outcome)
        assert (tried.assignee, tried.block_reason_code) == ("", "call-later")
        assert moment(tried.call.call_time) == desk.clock.now() + 2 * HOUR
        assert len(tried.call.attempts) == made
        assert not (await calls.next_of("agents/bob")).HasField("work_item")
        desk.clock.advance(2 * HOUR)
        await calls.waits(call.name)
    given = await calls.record(call.name, "NO_ANSWER")
    assert (given.assignee, given.call.owner_reason_code) == ("agents/cleo", "not-reached")
    assert (given.block_reason_code, given.call.HasField("call_time")) == ("", False)
    still = await calls.record(call.name, "NO_ANSWER")
    assert (still.assignee, still.block_reason_code) == ("agents/cleo", "call-later")


@pytest.mark.alone("it counts all that there is")
async def test_a_call_that_another_department_makes_goes_to_who_owns_the_case_in_theirs(desk, calls):
    case = await desk.open()
    await desk.agent("agents/bob", "departments/delivery")
    call = await calls.ask(case=case.name, department="departments/delivery")
    assert (await calls.next_of("agents/bob")).work_item.name == call.name
    given = await calls.record(call.name, "WRONG_NUMBER")
    assert (given.department, given.assignee) == ("departments/front-desk", "agents/front-desk")
    assert (given.call.owner_reason_code, given.handoff_count) == ("no-number", 1)


@pytest.mark.alone("what it makes is there once")
@pytest.mark.parametrize("outcome", ["NO_ANSWER", "VOICEMAIL"])
async def test_an_attempt_of_a_department_that_never_opens_again_is_kept_and_its_call_goes_to_the_owner(
    desk, calls, outcome
):
    once = Calendar.SpecialDay(
        date=Date(year=2020, month=1, day=1), windows=[Calendar.Window(opens="09:00", closes="10:00")]
    )
    closed = Calendar(
        display_name="Closed", time_zone="UTC", department="departments/delivery", exceptions=[once]
    )
    made = await desk.calendars.CreateCalendar(CreateCalendarRequest(calendar_id="closed", calendar=closed))
    said = Department(name="departments/delivery", display_name="Delivery", calendar=made.name)
    await desk.directory.UpdateDepartment(UpdateDepartmentRequest(department=said, allow_missing=True))
    case = await desk.open()
    call = await calls.ask(case=case.name, department="departments/delivery")
    given = await calls.record(call.name, outcome)
    assert [value_name(each, "outcome") for each in given.call.attempts] == [outcome]
    assert (given.department, given.assignee) == ("departments/front-desk", "agents/front-desk")
    assert (given.call.owner_reason_code, given.call.HasField("call_time")) == ("never-open", False)
    assert (given.block_reason_code, value_name(given, "state")) == ("", "PENDING")


async def test_a_wrong_number_says_which_and_they_are_called_by_another(desk, calls):
    call = await calls.ask(customer=desk.customer)
    number = f"{desk.customer}/identifiers/{uuid4()}"
    tried = await calls.record(call.name, "WRONG_NUMBER", identifier=number)
    assert (tried.block_reason_code, tried.call.owner_reason_code) == ("", "")
    (told,) = await desk.facts("WorkItemCalled")
    assert (told.data.identifier, told.data.outcome_code) == (number, "wrong-number")
    assert value_name(told.data, "channel") == ""


@pytest.mark.alone("it moves the clock")
async def test_who_wants_to_be_called_at_another_time_is_called_then_and_not_before(desk, calls, violations):
    call = await calls.ask(customer=desk.customer)
    assert list(await violations(calls.record(call.name, "CALL_BACK"))) == ["call_time"]
    at = desk.in_days(1)
    put_off = await calls.record(call.name, "CALL_BACK", call_time=timestamp(at))
    assert moment(put_off.call.call_time) == at
    desk.clock.advance(2 * HOUR)
    assert (await calls.get(call.name)).block_reason_code == "call-later"
    desk.clock.advance(22 * HOUR)
    assert value_name(await calls.waits(call.name), "state") == "PENDING"


async def test_who_wants_to_be_called_at_another_time_is_reached_however_often_it_was_tried(desk, calls):
    call = await calls.ask(customer=desk.customer)
    for _ in range(2):
        await calls.record(call.name, "NO_ANSWER")
    at = desk.in_days(1)
    agreed = await calls.record(call.name, "CALL_BACK", call_time=timestamp(at))
    assert (moment(agreed.call.call_time), agreed.call.owner_reason_code) == (at, "")
    assert agreed.block_reason_code == "call-later"
    given = await calls.record(call.name, "NO_ANSWER")
    assert given.call.owner_reason_code == "not-reached"


@pytest.mark.parametrize("why", ["agreed", "about more than the promise"])
async def test_a_call_that_has_more_to_say_is_made_whatever_becomes_of_the_promise(desk, calls, at_risk, why):
    agreed = why == "agreed"
    call = await calls.ask(promise=at_risk.name, reason_code="bad-news" if agreed else "feedback")
    if agreed:
        await calls.record(call.name, "CALL_BACK", call_time=timestamp(desk.in_days(1)))
    await desk.item("Finish", at_risk.work_item)
    (kept,) = await desk.facts("PromiseKept")
    await desk.taken_in(kept.id, "cases-calls")
    assert value_name(await calls.get(call.name), "state") == "PENDING"


@pytest.mark.alone("it counts all that there is")
async def test_a_call_that_waits_for_its_time_waits_for_it_in_another_department_too(desk, calls):
    await desk.agent("agents/bob", "departments/delivery")
    call = await calls.ask(customer=desk.customer, call_time=timestamp(desk.in_days(1)))
    moved = await desk.item("HandOver", call.name, department="departments/delivery", reason_code="not-ours")
    assert moved.block_reason_code == "call-later"
    assert not (await calls.next_of("agents/bob")).HasField("work_item")
    listed = await desk.handoffs.ListHandoffs(ListHandoffsRequest(filter=f"work_item = {call.name}"))
    assert [[block.HasField("end_time") for block in each.blocks] for each in listed.handoffs] == [
        [True],
        [False],
    ]
    desk.clock.advance(25 * HOUR)
    await calls.waits(call.name)
    assert (await calls.next_of("agents/bob")).work_item.name == call.name


async def test_who_made_a_promise_without_a_case_has_its_customer_called(desk, calls, refused):
    promise = await desk.make()
    asked = RequestCallRequest(promise=promise.name, reason_code="bad-news")
    who = {"subject": "agent:bob", "permissions": ["cases.work_items.write"]}
    billing, delivery = (
        desk.running.stub(CallServiceStub, **who, department=each) for each in ("billing", "delivery")
    )
    assert await refused(billing.RequestCall(asked)) == "PERMISSION_DENIED NOT_OWNER"
    call = await delivery.RequestCall(asked)
    assert (call.department, call.call.promise) == ("departments/front-desk", promise.name)


async def test_a_number_of_another_customer_is_not_said_to_be_wrong(desk, calls, refused):
    call = await calls.ask(customer=desk.customer)
    others = f"customers/{uuid4()}/identifiers/{uuid4()}"
    recorded = calls.record(call.name, "WRONG_NUMBER", identifier=others)
    assert await refused(recorded) == "FAILED_PRECONDITION CUSTOMER_MISMATCH"
    assert list((await calls.get(call.name)).call.attempts) == []


@pytest.mark.alone("it moves the clock")
async def test_they_call_themselves_before_it_is_time_and_the_timer_finds_nothing_to_do(desk, calls):
    later = await calls.ask(customer=desk.customer, call_time=timestamp(desk.in_days(1)))
    assert later.block_reason_code == "call-later"
    reached = await calls.record(later.name, "REACHED")
    other = await calls.ask(customer=desk.customer, call_time=timestamp(desk.in_days(1.1)))
    desk.clock.advance(27 * HOUR)
    await calls.waits(other.name)  # whose timer is due after that of the first
    assert await calls.get(later.name) == reached


async def test_of_two_who_say_what_became_of_it_one_is_heard(desk, calls):
    call = await calls.ask(customer=desk.customer)
    both = [calls.record(call.name, each, etag=call.etag) for each in ("REACHED", "NO_ANSWER")]
    answers = await asyncio.gather(*both, return_exceptions=True)
    (refused,) = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    assert reason(refused) in ("ETAG_MISMATCH", "WORK_ITEM_FINISHED")
    assert len((await calls.get(call.name)).call.attempts) == 1


@pytest.mark.alone("it counts all that there is")
async def test_of_twenty_who_take_one_call_one_has_it(desk, calls):
    await calls.ask(customer=desk.customer)
    agents = [await desk.agent(f"agents/a{each}") for each in range(20)]
    given = await asyncio.gather(*map(calls.next_of, agents))
    assert sum(each.HasField("work_item") for each in given) == 1


async def test_ten_who_ask_for_a_call_about_a_promise_get_the_same_one(desk, calls, at_risk):
    asked = await asyncio.gather(*(calls.ask(promise=at_risk.name) for _ in range(10)))
    assert len({each.name for each in asked}) == 1


async def test_ten_who_ask_for_a_call_about_a_promise_without_a_case_open_one_for_it(desk, calls):
    promise = await desk.make()
    asked = await asyncio.gather(*(calls.ask(promise=promise.name) for _ in range(10)))
    assert len({each.name for each in asked}) == 1
    listed = await desk.cases.ListCases(ListCasesRequest(filter=f'customer = "{desk.customer}"'))
    assert [each.name for each in listed.cases] == [asked[0].case]


async def test_what_a_department_says_is_what_it_said_when_the_call_was_asked_for(desk, calls):
    async def says(text):
        said = Department(
            name="departments/front-desk", display_name="Front desk", call_scripts={"bad-news": text}
        )
        request = UpdateDepartmentRequest(department=said, allow_missing=True)
        return await desk.directory.UpdateDepartment(request)

    assert dict((await says("We are sorry.\nHere is why.")).call_scripts) == {
        "bad-news": "We are sorry.\nHere is why."
    }
    call = await calls.ask(customer=desk.customer)
    await says("Hello.")
    assert (await calls.get(call.name)).call.script == "We are sorry.\nHere is why."
    assert (await calls.ask(customer=desk.customer, reason_code="feedback")).call.script == ""


async def test_what_is_no_call_what_is_over_and_what_is_of_nobody_is_refused(
    desk, calls, refused, violations
):
    case = await desk.open()
    item = await desk.add(case.name, department="departments/front-desk")
    assert await refused(calls.record(item.name, "REACHED")) == "FAILED_PRECONDITION NOT_A_CALL"
    call = await calls.ask(case=case.name)
    await calls.record(call.name, "REACHED")
    assert await refused(calls.record(call.name, "REACHED")) == "FAILED_PRECONDITION WORK_ITEM_FINISHED"
    assert list(await violations(calls.ask())) == ["customer"]
    other = await desk.make(customer=f"customers/{uuid4()}")
    mismatch = calls.ask(case=case.name, promise=other.name)
    assert await refused(mismatch) == "FAILED_PRECONDITION CUSTOMER_MISMATCH"


async def test_a_call_is_handed_over_and_assigned_like_all_work(desk, calls):
    await desk.agent("agents/bob")
    call = await calls.ask(customer=desk.customer)
    mine = await desk.work_items.AssignWorkItem(
        AssignWorkItemRequest(name=call.name, assignee="agents/bob", etag=call.etag)
    )
    assert mine.call == call.call
    moved = await desk.item("HandOver", call.name, department="departments/delivery", reason_code="not-ours")
    assert (moved.department, moved.call.reason_code) == ("departments/delivery", "bad-news")


async def test_whether_a_notice_was_called_about_is_found_by_an_index(desk):
    async with desk.running.db.connection() as connection:
        await connection.execute("SET enable_seqscan = off")  # which so few rows are read by otherwise
        rows = await connection.fetch(f"EXPLAIN {CALL_FOR_NOTICE.sql}", str(uuid4()), 1)
        await connection.execute("RESET enable_seqscan")
    assert "work_items_call_notice" in "\n".join(row[0] for row in rows)
