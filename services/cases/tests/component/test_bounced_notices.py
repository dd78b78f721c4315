"""A notice that was accepted and came back told its customer nothing, whichever word of it comes first."""

from uuid import uuid4

import pytest

from chassis.api.messages import timestamp, value_name
from rapport.cases.v1.call_service_pb2 import RecordCallOutcomeRequest
from rapport.cases.v1.call_service_pb2_grpc import CallServiceStub
from rapport.cases.v1.promise_service_pb2 import (
    KeepPromiseRequest,
    RecordDelayNotificationRequest,
    ScorePromisesRequest,
)
from rapport.cases.v1.work_item_service_pb2 import ListWorkItemsRequest
from rapport.common.v1.channel_pb2 import CHANNEL_VOICE
from rapport.notifications.v1.notice_pb2 import ToldPromise
from rapport.notifications.v1.notifications_events_pb2 import NoticeCallRequested
from rapport_testing.wait import eventually


class Notice:
    """A notice of a new date of a promise, and what is told of it."""

    def __init__(self, desk, promise):
        self.desk, self.promise = desk, promise
        self.name = f"notices/{uuid4()}"

    async def sent(self):
        told = ToldPromise(
            promise=self.promise,
            customer=self.desk.customer,
            promise_version=2,
            new_due_time=timestamp(self.desk.in_days(5)),
            tell_time=timestamp(self.desk.clock.now()),
            reason_code="carrier-delay",
        )
        event_id = await self.desk.sent(self.promise, notice=self.name, told_promise=told)
        await self.desk.taken_in(event_id)

    async def bounced(self):
        told = NoticeCallRequested(
            notice=self.name, customer=self.desk.customer, promise=self.promise, reason_code="bounced"
        )
        deliver = self.desk.running.deliver
        await self.desk.taken_in(await deliver(told, resource=self.name, source="notifications"))


@pytest.fixture
async def notice(desk):
    item, promise = await desk.promised_work(due_days=3)
    await desk.forecast(item.name, 5)
    return Notice(desk, promise.name)


async def calls(desk):
    told = f'customer = "{desk.customer}" AND kind = call-customer'
    return list((await desk.work_items.ListWorkItems(ListWorkItemsRequest(filter=told))).work_items)


async def told_early(desk):
    """Of how many promises the customer was told before they were due."""
    period = {"start_time": timestamp(desk.in_days(0)), "end_time": timestamp(desk.in_days(4))}
    (row,) = (await desk.promises.ScorePromises(ScorePromisesRequest(**period))).rows
    return row.notified_early_count


@pytest.mark.parametrize("first", ["sent", "bounced"])
async def test_who_was_not_reached_after_all_is_called_and_was_not_told(desk, notice, first):
    for each in ("sent", "bounced") if first == "sent" else ("bounced", "sent"):
        await getattr(notice, each)()
    await notice.bounced()  # again
    untold = await desk.get(notice.promise)
    assert (untold.HasField("delay_notify_time"), untold.notifier, untold.notified_early) == (
        False,
        "",
        False,
    )
    (call,) = await calls(desk)
    assert (call.call.promise, call.call.notice) == (notice.promise, notice.name)
    assert value_name(call, "state") == "PENDING"
    outcome = RecordCallOutcomeRequest(name=call.name, outcome="CALL_OUTCOME_REACHED")
    await desk.running.stub(CallServiceStub).RecordCallOutcome(outcome)
    for each in (notice.sent, notice.bounced):  # again, and late
        await each()
    told = await desk.get(notice.promise)
    assert (told.notifier, told.notified_early) == ("agents/alice", True)
    assert value_name(told, "notify_channel") == "VOICE"
    assert len(await calls(desk)) == 1


@pytest.mark.parametrize("ends", ["kept", "told"])
async def test_nobody_is_called_about_what_they_got_or_were_told_by_now(desk, notice, ends):
    await notice.sent()
    assert await told_early(desk) == 1
    await notice.bounced()
    assert await told_early(desk) == 0
    successor = (await desk.get(notice.promise)).successor
    if ends == "kept":
        await desk.promises.KeepPromise(KeepPromiseRequest(name=successor))
    else:
        told = RecordDelayNotificationRequest(name=notice.promise, channel=CHANNEL_VOICE)
        await desk.promises.RecordDelayNotification(told)
        assert await told_early(desk) == 1

    async def over():
        (call,) = await calls(desk)
        return value_name(call, "state") == "FINISHED"

    assert await eventually(over)
