"""Who told a customer of a promise, how and when; who hears that one was broken; what promises rest on."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from cases.store.managers import MANAGERS
from chassis.api.messages import timestamp
from chassis.db.statement import Statement
from rapport.cases.v1.case_service_pb2 import AssignCaseRequest, MergeCasesRequest
from rapport.cases.v1.directory_service_pb2 import UpdateAgentRequest
from rapport.cases.v1.escalation_service_pb2 import ListEscalationsRequest
from rapport.cases.v1.escalation_service_pb2_grpc import EscalationServiceStub
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import (
    RecordDelayNotificationRequest,
    RenegotiatePromiseRequest,
    WithdrawPromiseRequest,
)
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.common.v1 import channel_pb2, states_pb2
from rapport.customer.v1.customer_events_pb2 import CustomersMerged, RelationshipManagerAssigned
from rapport_testing.wait import eventually

State = states_pb2.PromiseState
STRANGER, FOURTH = (f"customers/{uuid4()}" for _ in range(2))
VOICE, EMAIL = channel_pb2.CHANNEL_VOICE, channel_pb2.CHANNEL_EMAIL


async def told(desk, name, channel=VOICE, **fields):
    return await desk.promises.RecordDelayNotification(
        RecordDelayNotificationRequest(name=name, channel=channel, **fields)
    )


async def renegotiated(desk, name, days=5, **fields):
    request = {"due_time": timestamp(desk.in_days(days)), "reason_code": "weather"} | fields
    return await desk.promises.RenegotiatePromise(RenegotiatePromiseRequest(name=name, **request))


async def broken(desk, name):
    """The promise, once the clock has broken it."""

    async def seen():
        promise = await desk.get(name)
        return promise if promise.state == State.PROMISE_STATE_BROKEN else None

    return await eventually(seen)


async def reached(desk, name):
    """Who is asked to see to a promise that was broken, or its case."""
    stub = desk.running.stub(EscalationServiceStub)
    request = ListEscalationsRequest(filter=f"promise = {name}")

    async def asked():
        return (await stub.ListEscalations(request)).escalations

    (escalation,) = await eventually(asked)
    return escalation.assignee


async def test_a_person_who_told_the_customer_says_how_and_it_counts_from_now(desk):
    made = await desk.make(3)
    desk.clock.advance(timedelta(days=1))
    known = await told(desk, made.name)
    assert (known.delay_notify_time, known.notifier, known.notify_channel) == (
        timestamp(desk.clock.now()), "agents/alice", VOICE)  # fmt: skip
    assert (known.state, known.notified_early) == (State.PROMISE_STATE_OPEN, True)
    desk.clock.advance(timedelta(hours=1))
    assert await told(desk, made.name, EMAIL) == known  # what was told first counts
    (fact,) = await desk.facts("PromiseDelayNotified")
    assert (fact.data.channel, fact.data.notifier, fact.version) == (VOICE, "agents/alice", 2)


async def test_a_notification_after_it_was_due_is_late_and_what_replaces_it_is_made_all_the_same(desk):
    made = await desk.make(3)
    desk.clock.advance(timedelta(days=4))
    await broken(desk, made.name)
    late = await told(desk, made.name)
    assert (late.state, late.notified_early) == (State.PROMISE_STATE_BROKEN, False)
    ended = await renegotiated(desk, made.name, channel=EMAIL)
    assert (ended.state, ended.delay_notify_time, ended.notify_channel) == (
        State.PROMISE_STATE_BROKEN, late.delay_notify_time, VOICE)  # fmt: skip
    assert (await desk.get(ended.successor)).state == State.PROMISE_STATE_OPEN


async def test_who_agrees_on_another_date_has_told_the_customer_unless_they_asked_for_it(desk):
    ours = await renegotiated(desk, (await desk.make(3, basis="BASIS_QUOTE")).name, channel=EMAIL)
    assert (ours.notifier, ours.notify_channel, ours.notified_early) == ("agents/alice", EMAIL, True)
    assert (await desk.get(ours.successor)).basis == Promise.BASIS_QUOTE
    theirs = await renegotiated(desk, (await desk.make(3)).name, customer_requested=True)
    assert theirs.customer_requested
    assert (theirs.HasField("delay_notify_time"), theirs.notifier) == (False, "")


async def test_a_notice_has_told_the_customer(desk):
    made = await desk.make(3)
    desk.clock.advance(timedelta(days=1))
    await desk.tell(made.name)
    await eventually(lambda: desk.facts("PromiseRenegotiated"))
    ended = await desk.get(made.name)
    assert (ended.notifier, ended.notify_channel, ended.notified_early) == (
        "services/notifications", EMAIL, True)  # fmt: skip


async def test_what_is_over_is_told_no_more(desk, refused):
    made = await desk.make(3)
    await desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=made.name, reason_code="x"))
    assert await refused(told(desk, made.name)) == "FAILED_PRECONDITION PROMISE_ENDED"
    other = await desk.make(3)
    assert await refused(told(desk, other.name, etag='"9"')) == "ABORTED ETAG_MISMATCH"
    assert await refused(told(desk, other.name, 0)) == "INVALID_ARGUMENT INVALID_ENUM"
    foreign = desk.running.stub(PromiseServiceStub, ["cases.promises.write"], "agent:paul", "billing")
    call = foreign.RecordDelayNotification(RecordDelayNotificationRequest(name=other.name, channel=VOICE))
    assert await refused(call) == "PERMISSION_DENIED NOT_OWNER"


@pytest.mark.parametrize("by", ["clock", "notification", "word"])
async def test_a_broken_promise_reaches_the_owner_of_its_case_whoever_finds_out(desk, by):
    bob = await desk.agent("agents/bob")
    case = await desk.open()
    made = await desk.make(3, case=case.name)
    alone = await desk.make(3)
    await desk.cases.AssignCase(AssignCaseRequest(name=case.name, owner=bob))
    desk.clock.advance(timedelta(days=4))
    if by == "notification":
        await told(desk, made.name)
    elif by == "word":
        await desk.tell(made.name)
    assert await reached(desk, made.name) == bob
    assert await reached(desk, alone.name) == "agents/front-desk"


async def test_a_broken_promise_reaches_the_relationship_manager_first(desk):
    """Whom the customer service named last, however the word of it arrives, if they serve customers still."""
    await desk.agent("agents/bob")
    await desk.agent("agents/gone")

    async def named(agent, version, customer=desk.customer):
        fact = RelationshipManagerAssigned(customer=customer, relationship_manager=agent)
        await desk.running.deliver(fact, resource=customer, version=version, source="customer")

    made, other, third = (
        await desk.make(3),
        await desk.make(3, customer=STRANGER),
        await desk.make(3, customer=FOURTH),
    )
    await named("agents/bob", 4)
    await named("agents/front-desk", 2)
    await named("agents/gone", 2, STRANGER)
    await named("agents/unheard-of", 2, FOURTH)
    held = Statement[Any](sa.select(sa.func.count()).where(MANAGERS.c.agent_id != "front-desk"))

    async def heard():
        return (await held.one(desk.running.db))["count_1"] == 3

    await eventually(heard)
    gone = {"name": "agents/gone", "inactive": True}
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=gone, update_mask={"paths": ["inactive"]}))
    desk.clock.advance(timedelta(days=4))
    asked = [await reached(desk, each.name) for each in (made, other, third)]
    assert asked == ["agents/bob", "agents/front-desk", "agents/front-desk"]


async def test_a_broken_promise_reaches_nobody_who_has_left(desk):
    bob = await desk.agent("agents/bob")
    case = await desk.open(owner=bob)
    made = await desk.make(3, case=case.name)
    gone = {"name": bob, "inactive": True}
    await desk.directory.UpdateAgent(UpdateAgentRequest(agent=gone, update_mask={"paths": ["inactive"]}))
    desk.clock.advance(timedelta(days=4))
    assert await reached(desk, made.name) == "agents/front-desk"


async def test_a_broken_promise_of_a_merged_case_reaches_who_goes_on_with_it(desk):
    bob = await desk.agent("agents/bob")
    merged, survivor = await desk.open(), await desk.open(owner=bob)
    made = await desk.make(3, case=merged.name)
    asked = MergeCasesRequest(name=survivor.name, merged_cases=[merged.name], reason_code="same")
    await desk.cases.MergeCases(asked)
    desk.clock.advance(timedelta(days=4))
    assert await reached(desk, made.name) == bob


async def test_of_two_names_of_a_customer_that_which_goes_on_says_who_the_manager_is(desk):
    absorbed = f"customers/{uuid4()}"
    for agent in ("agents/bob", "agents/carol"):
        await desk.agent(agent)
    merge = f"customerMerges/{uuid4()}"
    both = [desk.customer, absorbed]
    facts = (
        (RelationshipManagerAssigned(customer=desk.customer, relationship_manager="agents/bob"), both[0]),
        (RelationshipManagerAssigned(customer=absorbed, relationship_manager="agents/carol"), absorbed),
        (
            CustomersMerged(
                customer_merge=merge, customer=both[0], customers=both, survivors=[both[0]] * 2, sequence=1
            ),
            merge,
        ),
    )
    for fact, resource in facts:
        desk.clock.advance(timedelta(seconds=1))
        event = await desk.running.deliver(fact, resource=resource, version=1, source="customer")
        await desk.taken_in(event)
    made = await desk.make(3)
    desk.clock.advance(timedelta(days=4))
    assert await reached(desk, made.name) == "agents/bob"


async def test_what_is_promised_rests_on_what_somebody_said_unless_it_is_said_otherwise(desk):
    assert (await desk.make(3)).basis == Promise.BASIS_EXPLICIT
    assert (await desk.make(3, basis="BASIS_POLICY")).basis == Promise.BASIS_POLICY
