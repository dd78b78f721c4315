"""Somebody with more authority is asked, level by level, until one takes it, by their working hours."""

import asyncio
from datetime import timedelta

import grpc
import pytest
from google.type.date_pb2 import Date
from prometheus_client import REGISTRY

from cases.usecases.escalation import count_open
from chassis.api.messages import timestamp, value_name
from rapport.cases.v1.calendar_pb2 import Calendar
from rapport.cases.v1.calendar_service_pb2 import CreateCalendarRequest
from rapport.cases.v1.calendar_service_pb2_grpc import CalendarServiceStub
from rapport.cases.v1.case_service_pb2 import AssignCaseRequest, MergeCasesRequest, ResolveCaseRequest
from rapport.cases.v1.cases_events_pb2 import ClockBreached
from rapport.cases.v1.department_pb2 import Department
from rapport.cases.v1.directory_service_pb2 import UpdateAgentRequest, UpdateDepartmentRequest
from rapport.cases.v1.escalation_pb2 import Escalation
from rapport.cases.v1.escalation_service_pb2 import (
    CreateEscalationRequest,
    ExplainEscalationRequest,
    GetEscalationRequest,
    ListEscalationsRequest,
    TakeEscalationRequest,
)
from rapport.cases.v1.escalation_service_pb2_grpc import EscalationServiceStub
from rapport.cases.v1.promise_service_pb2 import (
    BatchMakePromisesRequest,
    KeepPromiseRequest,
    WithdrawPromiseRequest,
)
from rapport.common.v1.states_pb2 import PROMISE_STATE_KEPT, PROMISE_STATE_OPEN
from rapport_testing.running import reason
from rapport_testing.wait import eventually

HOUR = timedelta(hours=1)
ASKED, BEYOND = "ESCALATION_REASON_CUSTOMER_ASKED", "ESCALATION_REASON_BEYOND_AUTHORITY"


@pytest.fixture
async def service(desk):
    return desk.running.stub(EscalationServiceStub)


@pytest.fixture
def describe(desk):
    """Says who is asked at the front desk, one after the other, and when it works."""

    async def described(*path, **fields):
        for each in path:
            await desk.agent(each)
        said = {"name": "departments/front-desk", "display_name": "Front desk", "escalation_path": path}
        request = UpdateDepartmentRequest(department=Department(**said | fields), allow_missing=True)
        await desk.directory.UpdateDepartment(request)

    return described


@pytest.fixture
def escalate(service):
    async def escalated(case, reason=BEYOND, **fields):
        escalation = Escalation(case=case.name if case else "", reason=reason, **fields)
        return await service.CreateEscalation(CreateEscalationRequest(escalation=escalation))

    return escalated


@pytest.fixture
def became(service):
    """Waits until an escalation asks somebody, and returns it."""

    async def waited(name, agent):
        async def asked():
            escalation = await service.GetEscalation(GetEscalationRequest(name=name))
            return escalation if escalation.assignee == agent else None

        return await eventually(asked)

    return waited


async def resolve(desk, case):
    return await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="done"))


@pytest.fixture
def listed(service):
    """The escalations that a filter finds."""

    async def found(filter=""):
        return list((await service.ListEscalations(ListEscalationsRequest(filter=filter))).escalations)

    return found


async def kept(desk, promise):
    """Waits until a promise was kept."""

    async def is_kept():
        return (await desk.get(promise)).state == PROMISE_STATE_KEPT

    return await eventually(is_kept)


async def test_a_customer_who_asks_is_promised_by_when_and_who_takes_it_keeps_it_by_speaking_with_them(
    desk, service, describe, escalate, listed
):
    await describe("agents/bob", escalation_business_minutes=30)
    case = await desk.open()
    made = await escalate(case, ASKED)
    assert (made.assignee, value_name(made, "state")) == ("agents/bob", "OPEN")
    assert made.due_time.ToDatetime(tzinfo=desk.clock.now().tzinfo) == desk.clock.now() + HOUR / 2
    promise = await desk.get(made.answer_promise)
    assert (promise.due_time, promise.case, promise.kind) == (made.due_time, case.name, "supervisor-answer")
    taken = await service.TakeEscalation(TakeEscalationRequest(name=made.name, etag=made.etag))
    assert (taken.assignee, value_name(taken, "state")) == ("agents/alice", "TAKEN")
    await desk.contacted(case.name, "OUTBOUND", "agent:cleo")
    await desk.contacted(case.name, "INBOUND", "agent:alice")
    assert (await desk.get(made.answer_promise)).state == PROMISE_STATE_OPEN
    await desk.contacted(case.name, "OUTBOUND", "agent:alice")
    await kept(desk, made.answer_promise)
    assert await listed(f'case = "{case.name}"') == [taken]
    started, told = await desk.facts("EscalationStarted", "EscalationTaken")
    assert (started.data.customer, started.data.answer_promise) == (desk.customer, made.answer_promise)
    assert (told.data.assignee, told.version) == ("agents/alice", 2)
    explained = await service.ExplainEscalation(ExplainEscalationRequest(name=made.name))
    assert "Escalation taken" in explained.summary


async def test_it_goes_further_up_when_nobody_takes_it_to_the_front_desk_at_last(
    desk, describe, escalate, became
):
    await describe("agents/bob", "agents/cleo")
    made = await escalate(await desk.open(owner="agents/cleo"))
    assert made.answer_promise == ""
    desk.clock.advance(HOUR)
    second = await became(made.name, "agents/front-desk")
    assert [level.agent for level in second.levels] == ["agents/bob", "agents/front-desk"]
    assert second.levels[1].start_time == second.levels[0].due_time
    desk.clock.advance(HOUR)
    await desk.make(0.001)  # whose timer is due after that of the level, which finds nobody else
    desk.clock.advance(HOUR)
    await eventually(lambda: desk.facts("PromiseBroken"))
    assert len(await desk.facts("EscalationRaised")) == 1


async def test_what_nobody_has_taken_is_told_and_what_nobody_else_is_asked_for(desk, escalate):
    await escalate(await desk.open(owner=await desk.agent("agents/bob")))
    for advanced, told in ((HOUR / 2, (1, 0)), (HOUR, (0, 1))):
        desk.clock.advance(advanced)
        await count_open(desk.running.db)
        state = [{"state": each} for each in ("asked", "overdue")]
        assert tuple(REGISTRY.get_sample_value("rapport_escalations_open", each) for each in state) == told


async def test_who_is_asked_takes_it_wherever_they_work_and_nobody_else_of_there(
    desk, describe, escalate, refused
):
    await describe("agents/bob")
    await desk.agent("agents/bob", department="departments/relations")
    made = await escalate(await desk.open())
    take = TakeEscalationRequest(name=made.name)
    allowed = ["cases.escalations.write"]

    def of(who):
        return desk.running.stub(EscalationServiceStub, allowed, f"agent:{who}", "relations")

    assert await refused(of("cleo").TakeEscalation(take)) == "PERMISSION_DENIED NOT_OWNER"
    taken = await of("bob").TakeEscalation(take)
    assert taken.assignee == "agents/bob"


async def test_who_owns_the_case_and_who_is_gone_are_passed_over(desk, describe, escalate, refused):
    await describe("agents/bob", "agents/cleo")
    gone = {"name": "agents/bob", "inactive": True}
    assert (await escalate(await desk.open(owner="agents/cleo"))).assignee == "agents/bob"
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=gone, update_mask={"paths": ["inactive"]}))
    assert (await escalate(await desk.open())).assignee == "agents/cleo"
    assert (await escalate(await desk.open(owner="agents/cleo"))).assignee == "agents/front-desk"
    await describe("agents/front-desk")
    assert await refused(escalate(await desk.open())) == "FAILED_PRECONDITION NOBODY_ABOVE"


async def test_what_people_may_say_of_an_escalation(desk, escalate, violations):
    case = await desk.open(owner=await desk.agent("agents/bob"))
    for wrong in ("ESCALATION_REASON_UNSPECIFIED", "ESCALATION_REASON_PROMISE_BROKEN"):
        assert list(await violations(escalate(case, wrong))) == ["escalation.reason"]
    both = await violations(escalate(case, promise=(await desk.make()).name))
    assert both == {"escalation.case": "REQUIRED: must be given, or promise, not both"}
    assert list(await violations(escalate(None))) == ["escalation.case"]


async def open_on(desk, **when):
    """A calendar of the front desk's that is open for half an hour."""
    half_an_hour = [Calendar.Window(opens="09:30", closes="10:00")]
    hours = [Calendar.Hours(days=when["days"], windows=half_an_hour)] if "days" in when else []
    once = [Calendar.SpecialDay(date=when["date"], windows=half_an_hour)] if "date" in when else []
    said = {"display_name": "Rarely", "time_zone": "UTC", "department": "departments/front-desk"}
    calendar = Calendar(**said, hours=hours, exceptions=once)
    request = CreateCalendarRequest(calendar_id="rarely", calendar=calendar)
    return (await desk.running.stub(CalendarServiceStub).CreateCalendar(request)).name


async def test_until_when_somebody_has_follows_their_working_hours(desk, describe, escalate):
    await describe("agents/bob", calendar=await open_on(desk, days=[1]), escalation_business_minutes=40)
    made = await escalate(await desk.open())  # on a Monday at 9
    due = made.due_time.ToDatetime(tzinfo=desk.clock.now().tzinfo)
    assert due == desk.clock.now() + timedelta(days=7, minutes=40)


async def test_who_will_not_work_again_is_passed_over_and_the_front_desk_is_always_there(
    desk, describe, escalate
):
    await describe("agents/bob", calendar=await open_on(desk, date=Date(year=2020, month=1, day=1)))
    made = await escalate(await desk.open(owner=await desk.agent("agents/cleo")))
    due = made.due_time.ToDatetime(tzinfo=desk.clock.now().tzinfo)
    assert (made.assignee, due) == ("agents/front-desk", desk.clock.now() + HOUR)


async def test_a_case_that_is_resolved_asks_nobody_any_more(desk, service, describe, escalate, refused):
    await describe("agents/bob", "agents/cleo")
    case = await desk.open()
    made = await escalate(case)
    await resolve(desk, case)
    ended = await service.GetEscalation(GetEscalationRequest(name=made.name))
    assert value_name(ended, "state") == "CANCELLED"
    assert len(await desk.facts("EscalationCancelled")) == 1
    taking = service.TakeEscalation(TakeEscalationRequest(name=made.name))
    assert await refused(taking) == "FAILED_PRECONDITION ESCALATION_ENDED"
    assert await refused(escalate(case)) == "FAILED_PRECONDITION CASE_RESOLVED"


async def test_who_was_asked_and_is_given_the_case_has_taken_it_and_anybody_else_has_a_new_one(
    desk, service, describe, escalate
):
    await describe("agents/bob")
    await desk.agent("agents/cleo")
    ends = []
    for owner in ("agents/bob", "agents/cleo"):
        case = await desk.open()
        made = await escalate(case)
        await desk.cases.AssignCase(AssignCaseRequest(name=case.name, owner=owner))
        ended = await service.GetEscalation(GetEscalationRequest(name=made.name))
        ends.append((value_name(ended, "state"), ended.assignee))
    assert ends == [("TAKEN", "agents/bob"), ("CANCELLED", "agents/bob")]


async def test_a_promise_that_is_broken_asks_for_its_case_until_it_is_kept_after_all(desk, listed, describe):
    await describe("agents/bob")
    case = await desk.open()
    promise = await desk.make(1, case=case.name)
    desk.clock.advance(timedelta(days=1))
    (made,) = await eventually(listed)
    assert (made.case, made.promise, value_name(made, "reason")) == (
        case.name, promise.name, "PROMISE_BROKEN")  # fmt: skip
    await desk.promises.KeepPromise(KeepPromiseRequest(name=promise.name))
    (cancelled,) = await eventually(lambda: listed(f"promise = {promise.name} AND state = CANCELLED"))
    assert cancelled.name == made.name


async def test_a_promise_without_a_case_reaches_the_front_desk_and_what_was_long_ago_nobody(
    desk, listed, service
):
    past = desk.promise(-1, make_time=timestamp(desk.in_days(-2)))
    await desk.promises.BatchMakePromises(BatchMakePromisesRequest(requests=[{"promise": past}]))
    promise = await desk.make(1)
    desk.clock.advance(timedelta(days=1))
    (made,) = await eventually(listed)
    assert (made.case, made.promise, made.assignee) == ("", promise.name, "agents/front-desk")
    assert made.department == promise.department
    assert len(await desk.facts("PromiseBroken")) == 2
    taken = await service.TakeEscalation(TakeEscalationRequest(name=made.name))
    assert value_name(taken, "state") == "TAKEN"


async def test_people_escalate_a_promise_without_a_case_and_answer_by_what_they_say_of_it(
    desk, escalate, refused, service
):
    promise = await desk.make(3)
    made = await escalate(None, ASKED, promise=promise.name)
    assert (made.case, made.assignee) == ("", "agents/front-desk")
    assert await refused(escalate(None, promise=promise.name)) == "ALREADY_EXISTS ESCALATION_EXISTS"
    await service.TakeEscalation(TakeEscalationRequest(name=made.name))
    await desk.contacted(promise.name, "OUTBOUND")
    await kept(desk, made.answer_promise)
    on_case = await desk.make(3, case=(await desk.open()).name)
    assert await refused(escalate(None, promise=on_case.name)) == "FAILED_PRECONDITION CASE_MISMATCH"
    await desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=promise.name, reason_code="x"))
    assert await refused(escalate(None, promise=promise.name)) == "FAILED_PRECONDITION PROMISE_ENDED"


async def test_time_that_is_up_soon_asks_for_somebody_until_it_is_done(desk, listed, describe):
    await describe("agents/bob")
    await desk.keep_times("NEXT_RESPONSE", warning_minutes=10)
    case = await desk.open()
    await desk.contacted(case.name)
    desk.clock.advance(timedelta(minutes=51))
    (made,) = await eventually(listed)
    assert (made.case, value_name(made, "reason")) == (case.name, "CLOCK_WARNED")
    assert made.clock.startswith("clocks/")
    await desk.contacted(case.name, "OUTBOUND")
    await eventually(lambda: listed("state = CANCELLED"))


async def test_the_clock_of_a_promise_without_a_case_asks_for_the_promise(desk, listed):
    await desk.keep_times("DELAY_NOTIFICATION", subject="PROMISE")
    promise = await desk.make(2)
    desk.clock.advance(timedelta(days=1))
    await eventually(lambda: desk.facts("ClockStarted"))
    desk.clock.advance(HOUR)
    (made,) = await eventually(listed)
    assert (made.promise, value_name(made, "reason")) == (promise.name, "CLOCK_BREACHED")


async def test_what_goes_wrong_second_keeps_asking_when_what_went_wrong_first_is_settled(
    desk, listed, describe
):
    await describe("agents/bob")
    await desk.keep_times("NEXT_RESPONSE", warning_minutes=10)
    case = await desk.open()
    promise = await desk.make(0.05, case=case.name)
    await desk.contacted(case.name)
    desk.clock.advance(timedelta(minutes=51))
    (made,) = await eventually(listed)
    desk.clock.advance(timedelta(days=1))
    (broken,) = await eventually(lambda: desk.facts("PromiseBroken"))
    await desk.taken_in(broken.id)
    await desk.contacted(case.name, "OUTBOUND")
    (done,) = await eventually(lambda: desk.facts("ClockFulfilled"))
    await desk.taken_in(done.id)
    (still,) = await listed()
    assert (still.name, value_name(still, "state")) == (made.name, "OPEN")
    await desk.promises.KeepPromise(KeepPromiseRequest(name=promise.name))
    assert await eventually(lambda: listed(f"case = {case.name} AND state = CANCELLED"))


async def test_what_was_taken_keeps_nobody_asked_for_what_comes_after_it(desk, service, listed, describe):
    await describe("agents/bob")
    await desk.keep_times("NEXT_RESPONSE", warning_minutes=10)
    case = await desk.open()
    await desk.make(1, case=case.name)
    desk.clock.advance(timedelta(days=1))
    (made,) = await eventually(listed)
    await service.TakeEscalation(TakeEscalationRequest(name=made.name))
    await desk.contacted(case.name)
    desk.clock.advance(timedelta(minutes=51))
    (warned,) = await eventually(lambda: listed("state = OPEN"))
    await desk.contacted(case.name, "OUTBOUND")
    (cancelled,) = await eventually(lambda: listed("state = CANCELLED"))
    assert cancelled.name == warned.name


async def test_word_of_a_clock_that_comes_after_it_was_done_asks_for_nobody(desk, listed, describe):
    await describe("agents/bob")
    await desk.keep_times("FIRST_RESPONSE")
    case = await desk.open()
    await desk.contacted(case.name, "OUTBOUND")
    (started,) = await desk.facts("ClockStarted")
    late = ClockBreached(clock=started.data.clock, case=case.name)
    await desk.taken_in(await desk.running.deliver(late, resource=started.data.clock, source="cases"))
    assert await listed() == []


async def test_what_is_owed_for_a_promise_on_a_resolved_case_asks_for_somebody(desk, listed, describe):
    await describe("agents/bob")
    await desk.keep_times("DELAY_NOTIFICATION", subject="PROMISE")
    case = await desk.open()
    await desk.make(2, case=case.name)
    await resolve(desk, case)
    desk.clock.advance(timedelta(days=1))
    await eventually(lambda: desk.facts("ClockStarted"))
    desk.clock.advance(HOUR)
    (made,) = await eventually(listed)
    assert (made.case, value_name(made, "reason")) == (case.name, "CLOCK_BREACHED")


async def test_what_goes_wrong_on_a_merged_case_asks_for_the_one_that_goes_on(desk, listed, describe):
    await describe("agents/bob")
    merged, survivor = await desk.open(), await desk.open()
    await desk.make(1, case=merged.name)
    asked = MergeCasesRequest(name=survivor.name, merged_cases=[merged.name], reason_code="same")
    await desk.cases.MergeCases(asked)
    desk.clock.advance(timedelta(days=1))
    (made,) = await eventually(listed)
    assert made.case == survivor.name


async def test_a_promise_that_is_broken_on_a_resolved_case_reaches_somebody_too(desk, listed, describe):
    await describe("agents/bob")
    alone, merged, survivor = [await desk.open() for _ in range(3)]
    for case in (alone, merged):
        await desk.make(1, case=case.name)
    asked = MergeCasesRequest(name=survivor.name, merged_cases=[merged.name], reason_code="same")
    await desk.cases.MergeCases(asked)
    for case in (alone, survivor):
        await resolve(desk, case)
    desk.clock.advance(timedelta(days=1))

    async def both():
        made = await listed("state = OPEN AND assignee = agents/bob")
        return made if len(made) == 2 else None

    assert {each.case for each in await eventually(both)} == {alone.name, survivor.name}


async def test_what_was_asked_before_a_merge_is_found_by_the_case_that_goes_on_and_ends_with_it(
    desk, listed, describe, escalate, refused
):
    await describe("agents/bob")
    merged, survivor = await desk.open(), await desk.open()
    made = await escalate(merged)
    asked = MergeCasesRequest(name=survivor.name, merged_cases=[merged.name], reason_code="same")
    await desk.cases.MergeCases(asked)
    assert await listed(f'case = "{survivor.name}"') == [made]
    assert await refused(escalate(survivor)) == "ALREADY_EXISTS ESCALATION_EXISTS"
    await resolve(desk, survivor)
    assert await listed("state = OPEN") == []


async def together(*calls):
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return [reason(each) if isinstance(each, grpc.aio.AioRpcError) else "" for each in answers]


async def test_of_many_who_escalate_or_take_at_once_one_does(desk, service, describe, escalate):
    await describe("agents/bob")
    case = await desk.open()
    answers = await together(*(escalate(case, ASKED) for _ in range(6)))
    assert sorted(answers) == ["", *["ESCALATION_EXISTS"] * 5]
    assert len(await desk.facts("PromiseMade")) == 1
    (made,) = (await service.ListEscalations(ListEscalationsRequest())).escalations
    take = TakeEscalationRequest(name=made.name)
    answers = await together(*(service.TakeEscalation(take) for _ in range(6)))
    assert sorted(answers) == ["", *["ESCALATION_ENDED"] * 5]
    assert len(await desk.facts("EscalationTaken")) == 1


async def test_a_case_that_is_resolved_while_somebody_is_asked_or_the_next_has_none_open(
    desk, service, describe, escalate
):
    await describe("agents/bob", "agents/cleo")
    cases = [await desk.open() for _ in range(4)]
    asked = [await escalate(case) for case in cases[:2]]
    assert len(asked) == 2
    desk.clock.advance(HOUR)
    calls = [resolve(desk, case) for case in cases]
    calls += [escalate(case) for case in cases[2:]]
    answers = await together(*calls)
    assert answers[:4] == [""] * 4
    assert set(answers[4:]) <= {"", "CASE_RESOLVED"}
    listed = await service.ListEscalations(ListEscalationsRequest(filter="state = OPEN"))
    assert list(listed.escalations) == []
