"""Clocks that wait for an answer: by what was said and when, in whichever order word of it comes."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.api.messages import timestamp
from rapport.cases.v1 import clock_pb2, clock_policy_pb2, note_pb2
from rapport.cases.v1 import clock_policy_service_pb2 as policy_pb
from rapport.cases.v1 import clock_service_pb2 as pb
from rapport.cases.v1.case_service_pb2 import MergeCasesRequest, ReopenCaseRequest, ResolveCaseRequest
from rapport.cases.v1.note_service_pb2 import CreateNoteRequest
from rapport.customer.v1.customer_events_pb2 import InteractionRecorded
from rapport.loyalty.v1.loyalty_events_pb2 import CustomerValueChanged
from rapport.notifications.v1.notifications_events_pb2 import NoticeSent
from rapport_testing.wait import eventually

State, Policy = clock_pb2.Clock.State, clock_policy_pb2.ClockPolicy
RUNNING, PAUSED, FULFILLED, BREACHED = "RUNNING", "PAUSED", "FULFILLED", "BREACHED"
FIRST, NEXT, SILENCE = "FIRST_RESPONSE", "NEXT_RESPONSE", "SILENCE"
MINUTE = timedelta(minutes=1)
ALICE, ROBOT = "agent:alice", "service:chatbot"


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


async def contact(desk, about, direction="INBOUND", actor=ALICE, ago=timedelta()):
    """The word of a contact, of as long ago; until it is taken in."""
    desk.clock.advance(timedelta(seconds=1))
    entry = f"{desk.customer}/timelineEntries/{uuid4()}"
    told = InteractionRecorded(
        timeline_entry=entry,
        customer=desk.customer,
        channel="CHANNEL_CHAT",
        direction=f"DIRECTION_{direction}",
        resource=about,
        occur_time=timestamp(desk.clock.now() - ago),
    )
    event_id = await desk.running.deliver(told, resource=entry, source="customer", actor=actor)
    await taken_in(desk, event_id)


async def taken_in(desk, event_id):
    async def is_in():
        async with desk.running.db.connection() as connection:
            return await connection.fetchval("SELECT true FROM inbox WHERE event_id = $1", event_id)

    assert await eventually(is_in)


async def states(desk, case, metric):
    """Where the clocks for that are, the oldest first."""
    found = (await desk.clocks.ListClocks(pb.ListClocksRequest(filter=f'case = "{case}"'))).clocks
    wanted = clock_policy_pb2.ClockMetric.Value(f"CLOCK_METRIC_{metric}")
    return [State.Name(each.state).removeprefix("STATE_") for each in found if each.metric == wanted]


async def test_a_machines_answer_is_none_and_a_persons_is(desk, case):
    await contact(desk, case, "OUTBOUND", ROBOT)
    assert await states(desk, case, FIRST) == [RUNNING]
    await contact(desk, case, "OUTBOUND")
    assert await states(desk, case, FIRST) == [FULFILLED]
    assert await states(desk, case, NEXT) == []


async def test_what_the_customer_says_before_a_first_answer_starts_no_second_clock(desk, case):
    await contact(desk, case)
    assert (await states(desk, case, FIRST), await states(desk, case, NEXT)) == ([RUNNING], [])
    await contact(desk, case, "OUTBOUND")
    await contact(desk, case)
    await contact(desk, case)
    assert (await states(desk, case, FIRST), await states(desk, case, NEXT)) == ([FULFILLED], [RUNNING])


async def test_an_answered_customer_waits_for_nothing_more(desk, case):
    """An agent who has answered is not late because the customer is silent."""
    await contact(desk, case, "OUTBOUND")
    await contact(desk, case)
    await contact(desk, case, "OUTBOUND")
    desk.clock.advance(600 * MINUTE)
    other = await desk.open()
    desk.clock.advance(60 * MINUTE)
    await eventually(lambda: _is(desk, other.name, FIRST, [BREACHED]))
    assert (await states(desk, case, FIRST), await states(desk, case, NEXT)) == ([FULFILLED], [FULFILLED])


async def test_word_in_another_order_gives_the_same_clocks(desk, case):
    desk.clock.advance(10 * MINUTE)
    await contact(desk, case, "OUTBOUND", ago=8 * MINUTE)
    await contact(desk, case, "OUTBOUND", ago=2 * MINUTE)
    await contact(desk, case, ago=5 * MINUTE)  # which was answered before we heard of it
    assert await states(desk, case, NEXT) == []
    await contact(desk, case, ago=MINUTE)
    assert await states(desk, case, NEXT) == [RUNNING]


async def test_an_answer_to_what_came_before_leaves_what_came_after_waiting(desk, case):
    await contact(desk, case, "OUTBOUND")
    desk.clock.advance(10 * MINUTE)
    await contact(desk, case, ago=8 * MINUTE)
    await contact(desk, case, ago=2 * MINUTE)
    await contact(desk, case, "OUTBOUND", ago=5 * MINUTE)
    assert await states(desk, case, NEXT) == [FULFILLED, RUNNING]


async def test_word_that_comes_late_of_an_answer_in_time_takes_the_breach_back(desk, case):
    desk.clock.advance(70 * MINUTE)
    await eventually(lambda: _is(desk, case, FIRST, [BREACHED]))
    await contact(desk, case, "OUTBOUND", ago=30 * MINUTE)
    assert await states(desk, case, FIRST) == [FULFILLED]


async def test_silence_begins_anew_whenever_the_customer_is_told_something(desk, case):
    desk.clock.advance(50 * MINUTE)
    await contact(desk, case, "OUTBOUND", ROBOT)
    assert await states(desk, case, SILENCE) == [FULFILLED, RUNNING]
    await contact(desk, case)  # what the customer says ends no silence of ours
    promise = await desk.make(3, case=case)
    notice = f"notices/{uuid4()}"
    sent = NoticeSent(
        notice=notice, customer=desk.customer, promise=promise.name, send_time=timestamp(desk.clock.now())
    )
    await taken_in(desk, await desk.running.deliver(sent, resource=notice, source="notifications"))
    assert await states(desk, case, SILENCE) == [FULFILLED, FULFILLED, RUNNING]
    desk.clock.advance(60 * MINUTE)
    await eventually(lambda: _is(desk, case, SILENCE, [FULFILLED, FULFILLED, BREACHED]))


async def test_a_note_for_the_customer_is_an_answer_and_one_for_colleagues_is_none(desk, case):
    for visibility, expected in (("INTERNAL", [RUNNING]), ("CUSTOMER", [FULFILLED])):
        note = note_pb2.Note(text="Soon", visibility=f"VISIBILITY_{visibility}")
        await desk.notes.CreateNote(CreateNoteRequest(parent=case, note=note))
        assert await states(desk, case, FIRST) == expected


async def test_a_resolved_case_waits_for_nothing_and_a_thank_you_starts_nothing(desk, case):
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case, resolution="delivered"))
    await contact(desk, case)
    assert [await states(desk, case, each) for each in (FIRST, NEXT, SILENCE)] == [
        [FULFILLED],
        [],
        [FULFILLED],
    ]
    await desk.cases.ReopenCase(ReopenCaseRequest(name=case, reason_code="not-settled"))
    await contact(desk, case, "OUTBOUND", ROBOT)
    assert await states(desk, case, NEXT) == []
    assert await states(desk, case, SILENCE) == [FULFILLED, FULFILLED, RUNNING]


async def test_what_waits_for_the_customer_goes_on_when_they_say_something(desk, case):
    found = (await desk.clocks.ListClocks(pb.ListClocksRequest(filter=f'case = "{case}"'))).clocks
    for each in found:
        await desk.clocks.PauseClock(pb.PauseClockRequest(name=each.name, reason_code="waiting-for-customer"))
    assert await states(desk, case, FIRST) == [PAUSED]
    await contact(desk, case)
    assert (await states(desk, case, FIRST), await states(desk, case, SILENCE)) == ([RUNNING], [RUNNING])


async def test_what_is_about_work_of_a_case_is_about_the_case_and_what_is_about_another_is_nothing(
    desk, case
):
    await contact(desk, f"cases/{uuid4()}", "OUTBOUND")
    work = await desk.add(case)
    await contact(desk, work.name, "OUTBOUND")
    assert await states(desk, case, FIRST) == [FULFILLED]


async def test_what_is_said_of_a_merged_case_is_said_of_the_one_that_goes_on(desk, case):
    other = (await desk.open()).name
    await desk.cases.MergeCases(
        MergeCasesRequest(name=case, merged_cases=[other], reason_code="same-concern")
    )
    await contact(desk, other, "OUTBOUND")
    assert [await states(desk, each, FIRST) for each in (case, other)] == [[FULFILLED], [FULFILLED]]
    assert [await states(desk, each, SILENCE) for each in (case, other)] == [
        [FULFILLED, RUNNING],
        [FULFILLED],
    ]
    await contact(desk, other)
    assert [await states(desk, each, NEXT) for each in (case, other)] == [[RUNNING], []]


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
    assert await states(desk, (await desk.open()).name, "RESOLUTION") == []
    value = f"customerValues/{uuid4()}"
    changed = CustomerValueChanged(customer_value=value, customer=desk.customer, band="VALUE_BAND_GOLD")
    await taken_in(desk, await desk.running.deliver(changed, resource=value, source="loyalty"))
    assert await states(desk, (await desk.open()).name, "RESOLUTION") == [RUNNING]


async def _is(desk, case, metric, expected):
    return await states(desk, case, metric) == expected
