"""Cases go up a ladder until somebody with more authority takes them, by their working hours."""

import asyncio
from datetime import timedelta

import grpc
import pytest

from chassis.api.messages import value_name
from rapport.cases.v1.calendar_pb2 import Calendar
from rapport.cases.v1.calendar_service_pb2 import CreateCalendarRequest
from rapport.cases.v1.calendar_service_pb2_grpc import CalendarServiceStub
from rapport.cases.v1.case_service_pb2 import ResolveCaseRequest
from rapport.cases.v1.department_pb2 import Department
from rapport.cases.v1.directory_service_pb2 import UpdateDepartmentRequest
from rapport.cases.v1.escalation_pb2 import Escalation
from rapport.cases.v1.escalation_service_pb2 import (
    CreateEscalationRequest,
    ExplainEscalationRequest,
    GetEscalationRequest,
    ListEscalationsRequest,
    TakeEscalationRequest,
)
from rapport.cases.v1.escalation_service_pb2_grpc import EscalationServiceStub
from rapport.common.v1.states_pb2 import PROMISE_STATE_KEPT
from rapport_testing.running import reason
from rapport_testing.wait import eventually

HOUR = timedelta(hours=1)


@pytest.fixture
async def service(desk):
    return desk.running.stub(EscalationServiceStub)


@pytest.fixture
def describe(desk):
    """Says who leads the front desk, and when it works."""

    async def described(**fields):
        for each in ("lead", "head"):
            if fields.get(each):
                await desk.agent(fields[each])
        said = Department(name="departments/front-desk", display_name="Front desk", **fields)
        await desk.directory.UpdateDepartment(UpdateDepartmentRequest(department=said, allow_missing=True))

    return described


@pytest.fixture
def escalate(service):
    async def escalated(case, **fields):
        escalation = Escalation(case=case.name, **fields)
        return await service.CreateEscalation(CreateEscalationRequest(escalation=escalation))

    return escalated


@pytest.fixture
def became(service):
    """Waits until an escalation asks somebody, and returns it."""

    async def waited(name, agent):
        async def asked():
            escalation = await service.GetEscalation(GetEscalationRequest(name=name))
            return escalation if escalation.agent == agent else None

        return await eventually(asked)

    return waited


async def resolve(desk, case):
    return await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="done"))


async def test_a_customer_who_asks_is_promised_by_when_and_the_promise_is_kept_by_who_takes_it(
    desk, service, describe, escalate
):
    await describe(lead="agents/bob", escalation_minutes=30)
    case = await desk.open()
    made = await escalate(case)
    assert (made.agent, value_name(made, "state")) == ("agents/bob", "OPEN")
    assert made.due_time.ToDatetime(tzinfo=desk.clock.now().tzinfo) == desk.clock.now() + HOUR / 2
    promise = await desk.get(made.promise)
    assert (promise.due_time, promise.case, promise.kind) == (made.due_time, case.name, "supervisor-answer")
    taken = await service.TakeEscalation(TakeEscalationRequest(name=made.name, etag=made.etag))
    assert (taken.taker, value_name(taken, "state")) == ("agents/alice", "TAKEN")
    assert (await desk.get(made.promise)).state == PROMISE_STATE_KEPT
    listed = await service.ListEscalations(ListEscalationsRequest(filter=f'case = "{case.name}"'))
    assert list(listed.escalations) == [taken]
    started, told = await desk.facts("EscalationStarted", "EscalationTaken")
    assert (started.data.customer, started.data.promise) == (desk.customer, made.promise)
    assert (told.data.taker, told.version) == ("agents/alice", 2)
    explained = await service.ExplainEscalation(ExplainEscalationRequest(name=made.name))
    assert "Escalation taken" in explained.summary


async def test_it_goes_further_up_when_nobody_takes_it_and_no_step_is_made_twice(
    desk, describe, escalate, became
):
    await describe(lead="agents/bob", head="agents/cleo")
    made = await escalate(await desk.open(), reason="ESCALATION_REASON_BEYOND_AUTHORITY")
    assert made.promise == ""
    desk.clock.advance(HOUR)
    second = await became(made.name, "agents/cleo")
    assert [step.agent for step in second.steps] == ["agents/bob", "agents/cleo"]
    assert second.steps[1].start_time == second.steps[0].due_time
    desk.clock.advance(HOUR)
    await desk.make(0.001)  # whose timer is due after that of the step, which finds nobody else
    desk.clock.advance(HOUR)
    await eventually(lambda: desk.facts("PromiseBroken"))
    assert len(await desk.facts("EscalationStepped")) == 1


async def test_who_is_asked_takes_it_wherever_they_work_and_nobody_else_of_there(
    desk, describe, escalate, refused
):
    await describe(lead="agents/bob")
    await desk.agent("agents/bob", department="departments/relations")
    made = await escalate(await desk.open())
    take = TakeEscalationRequest(name=made.name)
    allowed = ["cases.escalations.write"]

    def of(who):
        return desk.running.stub(EscalationServiceStub, allowed, f"agent:{who}", "relations")

    assert await refused(of("cleo").TakeEscalation(take)) == "PERMISSION_DENIED NOT_OWNER"
    taken = await of("bob").TakeEscalation(take)
    assert taken.taker == "agents/bob"
    assert (await desk.get(made.promise)).state == PROMISE_STATE_KEPT


async def test_who_owns_the_case_and_who_is_gone_are_passed_over(desk, describe, escalate, refused):
    await describe(lead="agents/bob", head="agents/cleo")
    case = await desk.open(owner="agents/bob")
    assert (await escalate(case)).agent == "agents/cleo"
    await describe(lead="agents/bob")
    other = await desk.open(owner="agents/cleo")
    await describe(head="agents/cleo", lead="agents/cleo")
    assert await refused(escalate(other)) == "FAILED_PRECONDITION NOBODY_ABOVE"


async def test_until_when_somebody_has_follows_their_working_hours(desk, describe, escalate):
    hours = Calendar.Hours(days=[1], windows=[Calendar.Window(opens="09:30", closes="10:00")])
    calendar = Calendar(
        display_name="Mondays", time_zone="UTC", hours=[hours], department="departments/front-desk"
    )
    request = CreateCalendarRequest(calendar_id="mondays", calendar=calendar)
    await desk.running.stub(CalendarServiceStub).CreateCalendar(request)
    await describe(lead="agents/bob", calendar="calendars/mondays", escalation_minutes=40)
    made = await escalate(await desk.open())  # on a Monday at 9
    due = made.due_time.ToDatetime(tzinfo=desk.clock.now().tzinfo)
    assert due == desk.clock.now() + timedelta(days=7, minutes=40)


async def test_a_case_that_is_resolved_asks_nobody_any_more(desk, service, describe, escalate, refused):
    await describe(lead="agents/bob", head="agents/cleo")
    case = await desk.open()
    made = await escalate(case, reason="ESCALATION_REASON_BEYOND_AUTHORITY")
    await resolve(desk, case)
    ended = await service.GetEscalation(GetEscalationRequest(name=made.name))
    assert value_name(ended, "state") == "CANCELLED"
    assert len(await desk.facts("EscalationCancelled")) == 1
    taking = service.TakeEscalation(TakeEscalationRequest(name=made.name))
    assert await refused(taking) == "FAILED_PRECONDITION ESCALATION_ENDED"
    assert await refused(escalate(case)) == "FAILED_PRECONDITION CASE_RESOLVED"


async def test_a_promise_that_is_broken_brings_its_case_up(desk, service, describe):
    await describe(lead="agents/bob")
    case = await desk.open()
    await desk.make(1, case=case.name)
    desk.clock.advance(timedelta(days=1))

    async def brought():
        return (await service.ListEscalations(ListEscalationsRequest())).escalations

    (made,) = await eventually(brought)
    assert (made.case, value_name(made, "reason")) == (case.name, "PROMISE_BROKEN")


async def together(*calls):
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return [reason(each) if isinstance(each, grpc.aio.AioRpcError) else "" for each in answers]


async def test_of_many_who_escalate_or_take_at_once_one_does(desk, service, describe, escalate):
    await describe(lead="agents/bob")
    case = await desk.open()
    answers = await together(*(escalate(case) for _ in range(6)))
    assert sorted(answers) == ["", *["CASE_ESCALATED"] * 5]
    assert len(await desk.facts("PromiseMade")) == 1
    (made,) = (await service.ListEscalations(ListEscalationsRequest())).escalations
    take = TakeEscalationRequest(name=made.name)
    answers = await together(*(service.TakeEscalation(take) for _ in range(6)))
    assert sorted(answers) == ["", *["ESCALATION_ENDED"] * 5]
    assert len(await desk.facts("PromiseKept")) == 1


async def test_a_case_that_is_resolved_while_it_is_escalated_or_stepped_has_none_open(
    desk, service, describe, escalate
):
    await describe(lead="agents/bob", head="agents/cleo")
    cases = [await desk.open() for _ in range(4)]
    stepped = [await escalate(case, reason="ESCALATION_REASON_BEYOND_AUTHORITY") for case in cases[:2]]
    assert len(stepped) == 2
    desk.clock.advance(HOUR)
    calls = [resolve(desk, case) for case in cases]
    calls += [escalate(case, reason="ESCALATION_REASON_BEYOND_AUTHORITY") for case in cases[2:]]
    answers = await together(*calls)
    assert answers[:4] == [""] * 4
    assert set(answers[4:]) <= {"", "CASE_RESOLVED"}
    listed = await service.ListEscalations(ListEscalationsRequest(filter="state = OPEN"))
    assert list(listed.escalations) == []
