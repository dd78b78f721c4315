"""Clocks that wait for an answer: by what was said and when, in whichever order word of it comes."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.api.messages import timestamp
from rapport.cases.v1 import clock_policy_pb2, note_pb2
from rapport.cases.v1 import clock_policy_service_pb2 as policy_pb
from rapport.cases.v1 import clock_service_pb2 as pb
from rapport.cases.v1.case_service_pb2 import MergeCasesRequest, ReopenCaseRequest, ResolveCaseRequest
from rapport.cases.v1.note_service_pb2 import CreateNoteRequest
from rapport.cases.v1.note_service_pb2_grpc import NoteServiceStub
from rapport.loyalty.v1.loyalty_events_pb2 import CustomerValueChanged
from rapport.notifications.v1.notifications_events_pb2 import NoticeSent
from rapport_testing.wait import eventually

Policy = clock_policy_pb2.ClockPolicy
RUNNING, PAUSED, FULFILLED, BREACHED = "RUNNING", "PAUSED", "FULFILLED", "BREACHED"
FIRST, NEXT, SILENCE = "FIRST_RESPONSE", "NEXT_RESPONSE", "SILENCE"
MINUTE = timedelta(minutes=1)
ROBOT = "service:chatbot"


@pytest.fixture
async def case(desk):
    """An open case with clocks for a first and every further answer, and for silence."""
    targets = [
        Policy.Target(metric=f"CLOCK_METRIC_{metric}", business_minutes=60)
        for metric in (FIRST, NEXT, SILENCE)
    ]
    sent = Policy(
        department="departments/platform", subject="SUBJECT_CASE", condition="true", targets=targets
    )
    await desk.clock_policies.CreateClockPolicy(
        policy_pb.CreateClockPolicyRequest(clock_policy_id="answers", clock_policy=sent)
    )
    return (await desk.open()).name


async def test_a_machines_answer_is_none_and_a_persons_is(desk, case):
    await desk.contacted(case, "OUTBOUND", ROBOT)
    assert await desk.clock_states(case, FIRST) == [RUNNING]
    await desk.contacted(case, "OUTBOUND")
    assert await desk.clock_states(case, FIRST) == [FULFILLED]
    assert await desk.clock_states(case, NEXT) == []


async def test_what_the_customer_says_before_a_first_answer_starts_no_second_clock(desk, case):
    await desk.contacted(case)
    assert (await desk.clock_states(case, FIRST), await desk.clock_states(case, NEXT)) == ([RUNNING], [])
    await desk.contacted(case, "OUTBOUND")
    await desk.contacted(case)
    await desk.contacted(case)
    assert (await desk.clock_states(case, FIRST), await desk.clock_states(case, NEXT)) == (
        [FULFILLED],
        [RUNNING],
    )


async def test_an_answered_customer_waits_for_nothing_more(desk, case):
    """An agent who has answered is not late because the customer is silent."""
    await desk.contacted(case, "OUTBOUND")
    await desk.contacted(case)
    await desk.contacted(case, "OUTBOUND")
    desk.clock.advance(600 * MINUTE)
    other = await desk.open()
    desk.clock.advance(60 * MINUTE)
    await eventually(lambda: _is(desk, other.name, FIRST, [BREACHED]))
    assert (await desk.clock_states(case, FIRST), await desk.clock_states(case, NEXT)) == (
        [FULFILLED],
        [FULFILLED],
    )


async def test_word_in_another_order_gives_the_same_clocks(desk, case):
    desk.clock.advance(10 * MINUTE)
    await desk.contacted(case, "OUTBOUND", ago=8 * MINUTE)
    await desk.contacted(case, "OUTBOUND", ago=2 * MINUTE)
    await desk.contacted(case, ago=5 * MINUTE)  # which was answered before we heard of it
    assert await desk.clock_states(case, NEXT) == []
    await desk.contacted(case, ago=MINUTE)
    assert await desk.clock_states(case, NEXT) == [RUNNING]


async def test_the_first_of_several_answers_counts_also_when_word_of_it_comes_last(desk, case):
    desk.clock.advance(100 * MINUTE)
    for ago in (20, 50):
        await desk.contacted(case, "OUTBOUND", ago=ago * MINUTE)
    assert await desk.clock_states(case, FIRST) == [FULFILLED]
    assert await desk.clock_states(case, SILENCE) == [
        FULFILLED,
        RUNNING,
        FULFILLED,
    ]  # begun by the word of it


async def test_the_customer_waits_since_the_first_that_nobody_answered_whenever_word_of_that_comes(
    desk, case
):
    await desk.contacted(case, "OUTBOUND")
    desk.clock.advance(50 * MINUTE)
    for ago in (10, 40):
        await desk.contacted(case, ago=ago * MINUTE)
    desk.clock.advance(25 * MINUTE)  # by which the one of 40 minutes ago is due, and no other
    await eventually(lambda: _is(desk, case, NEXT, [BREACHED]))


async def test_an_answer_to_what_came_before_leaves_what_came_after_waiting(desk, case):
    await desk.contacted(case, "OUTBOUND")
    desk.clock.advance(10 * MINUTE)
    await desk.contacted(case, ago=8 * MINUTE)
    await desk.contacted(case, ago=2 * MINUTE)
    await desk.contacted(case, "OUTBOUND", ago=5 * MINUTE)
    assert await desk.clock_states(case, NEXT) == [FULFILLED, RUNNING]


async def test_word_that_comes_late_of_an_answer_in_time_takes_the_breach_back(desk, case):
    desk.clock.advance(70 * MINUTE)
    await eventually(lambda: _is(desk, case, FIRST, [BREACHED]))
    await desk.contacted(case, "OUTBOUND", ago=30 * MINUTE)
    assert await desk.clock_states(case, FIRST) == [FULFILLED]


async def test_silence_begins_anew_whenever_the_customer_is_told_something(desk, case):
    desk.clock.advance(50 * MINUTE)
    await desk.contacted(case, "OUTBOUND", ROBOT)
    assert await desk.clock_states(case, SILENCE) == [FULFILLED, RUNNING]
    await desk.contacted(case)  # what the customer says ends no silence of ours
    promise = await desk.make(3, case=case)
    notice = f"notices/{uuid4()}"
    sent = NoticeSent(
        notice=notice, customer=desk.customer, promise=promise.name, send_time=timestamp(desk.clock.now())
    )
    await desk.taken_in(await desk.running.deliver(sent, resource=notice, source="notifications"))
    assert await desk.clock_states(case, SILENCE) == [FULFILLED, FULFILLED, RUNNING]
    desk.clock.advance(60 * MINUTE)
    await eventually(lambda: _is(desk, case, SILENCE, [FULFILLED, FULFILLED, BREACHED]))


async def test_a_note_for_the_customer_is_an_answer_and_one_for_colleagues_is_none(desk, case):
    for visibility, expected in (("INTERNAL", [RUNNING]), ("CUSTOMER", [FULFILLED])):
        note = note_pb2.Note(text="Soon", visibility=f"VISIBILITY_{visibility}")
        await desk.notes.CreateNote(CreateNoteRequest(parent=case, note=note))
        assert await desk.clock_states(case, FIRST) == expected


async def test_a_note_of_another_department_answers_nothing(desk, case):
    notes = desk.running.stub(NoteServiceStub, ["cases.notes.write"], "agent:bob", "billing")
    note = note_pb2.Note(text="Soon", visibility="VISIBILITY_CUSTOMER")
    await desk.contacted(case)
    await notes.CreateNote(CreateNoteRequest(parent=case, note=note))
    assert await desk.clock_states(case, FIRST) == [RUNNING]
    assert await desk.clock_states(case, SILENCE) == [FULFILLED, RUNNING]  # which that ends all the same


async def test_a_resolved_case_waits_for_nothing_and_a_thank_you_starts_nothing(desk, case):
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case, resolution="delivered"))
    await desk.contacted(case)
    assert [await desk.clock_states(case, each) for each in (FIRST, NEXT, SILENCE)] == [
        [FULFILLED],
        [],
        [FULFILLED],
    ]
    await desk.cases.ReopenCase(ReopenCaseRequest(name=case, reason_code="not-settled"))
    await desk.contacted(case, "OUTBOUND", ROBOT)
    assert await desk.clock_states(case, SILENCE) == [FULFILLED, FULFILLED, RUNNING]


@pytest.mark.parametrize("reopened_first", [True, False])
async def test_who_says_that_it_is_not_settled_waits_for_an_answer_once_it_is_open_again(
    desk, case, reopened_first
):
    """Whichever comes first, what they said or that it is reopened for that."""
    desk.clock.advance(MINUTE)
    await desk.contacted(case)  # is answered by its being settled
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case, resolution="delivered"))
    desk.clock.advance(10 * MINUTE)
    acts = [
        lambda: desk.contacted(case, ago=5 * MINUTE),
        lambda: desk.cases.ReopenCase(ReopenCaseRequest(name=case, reason_code="not-settled")),
    ]
    for act in reversed(acts) if reopened_first else acts:
        await act()
    assert await desk.clock_states(case, NEXT) == [RUNNING]
    desk.clock.advance(56 * MINUTE)
    await eventually(lambda: _is(desk, case, NEXT, [BREACHED]))


async def test_what_waits_for_the_customer_goes_on_when_they_say_something(desk, case):
    found = (await desk.clocks.ListClocks(pb.ListClocksRequest(filter=f'case = "{case}"'))).clocks
    for each in found:
        await desk.clocks.PauseClock(pb.PauseClockRequest(name=each.name, reason_code="waiting-for-customer"))
    assert await desk.clock_states(case, FIRST) == [PAUSED]
    await desk.contacted(case)
    assert (await desk.clock_states(case, FIRST), await desk.clock_states(case, SILENCE)) == (
        [RUNNING],
        [RUNNING],
    )


async def test_what_is_about_work_of_a_case_is_about_the_case_and_what_is_about_another_is_nothing(
    desk, case
):
    await desk.contacted(f"cases/{uuid4()}", "OUTBOUND")
    work = await desk.add(case)
    await desk.contacted(work.name, "OUTBOUND")
    assert await desk.clock_states(case, FIRST) == [FULFILLED]


async def test_what_is_said_of_a_merged_case_is_said_of_the_one_that_goes_on(desk, case):
    other = (await desk.open()).name
    await desk.cases.MergeCases(
        MergeCasesRequest(name=case, merged_cases=[other], reason_code="same-concern")
    )
    await desk.contacted(other, "OUTBOUND")
    assert [await desk.clock_states(each, FIRST) for each in (case, other)] == [[FULFILLED], [FULFILLED]]
    assert [await desk.clock_states(each, SILENCE) for each in (case, other)] == [
        [FULFILLED, RUNNING],
        [FULFILLED],
    ]
    await desk.contacted(other)
    assert [await desk.clock_states(each, NEXT) for each in (case, other)] == [[RUNNING], []]


async def test_a_policy_may_ask_what_the_customer_is_worth(desk):
    sent = Policy(
        department="departments/platform",
        subject="SUBJECT_CASE",
        condition="band == ValueBand.VALUE_BAND_GOLD",
        targets=[Policy.Target(metric="CLOCK_METRIC_RESOLUTION", business_minutes=60)],
    )
    await desk.clock_policies.CreateClockPolicy(
        policy_pb.CreateClockPolicyRequest(clock_policy_id="gold", clock_policy=sent)
    )
    assert await desk.clock_states((await desk.open()).name, "RESOLUTION") == []
    value = f"customerValues/{uuid4()}"
    changed = CustomerValueChanged(customer_value=value, customer=desk.customer, band="VALUE_BAND_GOLD")
    await desk.taken_in(await desk.running.deliver(changed, resource=value, source="loyalty"))
    assert await desk.clock_states((await desk.open()).name, "RESOLUTION") == [RUNNING]


async def _is(desk, case, metric, expected):
    return await desk.clock_states(case, metric) == expected
