"""Whom a person tells bad news before a message does, and the call that comes of it."""

from uuid import uuid4

import pytest

from chassis.api.messages import timestamp, value_name
from rapport.cases.v1.call_service_pb2 import CheckCallFirstRequest
from rapport.cases.v1.call_service_pb2_grpc import CallServiceStub
from rapport.cases.v1.promise_service_pb2 import RecordDelayNotificationRequest, RenegotiatePromiseRequest
from rapport.cases.v1.queue_service_pb2 import TakeNextWorkRequest
from rapport.cases.v1.work_item_service_pb2 import ListWorkItemsRequest
from rapport.loyalty.v1.loyalty_events_pb2 import CustomerValueChanged
from rapport.notifications.v1.notifications_events_pb2 import NoticeCallRequested
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together


@pytest.fixture
async def at_risk(desk):
    item, promise = await desk.promised_work(due_days=3)
    await desk.forecast(item.name, 5)
    return promise


async def reasons(desk, promise):
    answer = await desk.running.stub(CallServiceStub).CheckCallFirst(CheckCallFirstRequest(name=promise.name))
    assert answer.call_first == bool(answer.reason_codes)
    return list(answer.reason_codes)


async def slip(desk, **fields):
    promise = await desk.make()
    request = RenegotiatePromiseRequest(
        name=promise.name, due_time=timestamp(desk.in_days(6)), reason_code="carrier-delay", **fields
    )
    await desk.promises.RenegotiatePromise(request)


async def calls_of(desk):
    told = f'customer = "{desk.customer}" AND kind = call-customer'
    return list((await desk.work_items.ListWorkItems(ListWorkItemsRequest(filter=told))).work_items)


async def hold(desk, promise, notice="", reason_code="call-first"):
    name = notice or f"notices/{uuid4()}"
    told = NoticeCallRequested(
        notice=name,
        customer=desk.customer,
        promise=promise.name,
        reason_code=reason_code,
        call_by_time=timestamp(desk.in_days(1)) if reason_code == "call-first" else None,
    )
    await desk.taken_in(await desk.running.deliver(told, resource=name, source="notifications"))
    return name


@pytest.mark.alone("it moves the clock")
async def test_one_slip_is_none_two_are_too_many_and_what_the_customer_asked_for_is_none(desk, at_risk):
    assert await reasons(desk, at_risk) == []
    await slip(desk)
    await slip(desk, customer_requested=True)
    assert await reasons(desk, at_risk) == []
    await slip(desk)
    assert await reasons(desk, at_risk) == ["promises-slipped"]
    desk.clock.advance(desk.in_days(100) - desk.clock.now())
    item, later = await desk.promised_work(due_days=3)
    await desk.forecast(item.name, 5)
    assert "promises-slipped" not in await reasons(desk, later)


@pytest.mark.parametrize("fields", [{"topic": "complaint"}, {"harm": "HARM_LOSS"}])
async def test_who_complained_and_waits_is_called(desk, at_risk, fields):
    await desk.open(**fields)
    assert await reasons(desk, at_risk) == ["open-complaint"]


async def test_who_is_of_the_highest_value_is_called_and_of_the_next_not(desk, at_risk):
    async def becomes(band, version):
        value = CustomerValueChanged(
            customer_value=f"{desk.customer}/value", customer=desk.customer, band=band
        )
        delivered = desk.running.deliver(
            value, resource=value.customer_value, version=version, source="loyalty"
        )
        await desk.taken_in(await delivered)

    await becomes("VALUE_BAND_GOLD", 1)
    assert await reasons(desk, at_risk) == []
    await becomes("VALUE_BAND_PLATINUM", 2)
    assert await reasons(desk, at_risk) == ["value-platinum"]


async def test_who_knows_or_need_not_know_is_not_called(desk, at_risk):
    await desk.open(topic="complaint")
    assert await reasons(desk, await desk.make()) == []  # it is in time
    await desk.promises.RecordDelayNotification(
        RecordDelayNotificationRequest(name=at_risk.name, channel="CHANNEL_VOICE")
    )
    assert await reasons(desk, at_risk) == []


async def test_a_notice_that_waits_for_a_person_is_a_call_and_one_that_bounces_then_another(desk, at_risk):
    await hold(desk, at_risk)
    (call,) = await calls_of(desk)
    assert (call.call.reason_code, call.call.promise, call.call.notice) == ("bad-news", at_risk.name, "")
    await desk.tell(at_risk.name)  # nobody called: the message was sent

    async def over():
        return value_name((await calls_of(desk))[0], "state") == "FINISHED"

    assert await eventually(over)
    sent = (await desk.get(at_risk.name)).notice
    await hold(desk, at_risk, notice=sent, reason_code="bounced")
    assert len(await calls_of(desk)) == 2


async def test_the_call_is_to_be_made_before_the_message_goes(desk, at_risk):
    await hold(desk, at_risk)
    await desk.agent("agents/bob")
    given = (await desk.queue.TakeNextWork(TakeNextWorkRequest(name="agents/bob"))).work
    assert (given.work_item.call.promise, given.deadline_time) == (at_risk.name, timestamp(desk.in_days(1)))
