from uuid import uuid4

import pytest

from chassis.api.messages import timestamp
from chassis.testing.wait import eventually
from rapport.cases.v1 import promise_pb2
from rapport.cases.v1.promise_service_pb2 import KeepPromiseRequest
from rapport.notifications.v1.notifications_events_pb2 import NoticeSent

State = promise_pb2.Promise.State


def sent(desk, about, **fields):
    return NoticeSent(
        **{
            "notice": f"notices/{uuid4()}",
            "customer": desk.customer,
            "kind": "promise-at-risk",
            "promise": about,
            "channel": "EMAIL",
            "new_due_time": timestamp(desk.in_days(5)),
            "reason_code": "CARRIER_DELAY",
        }
        | fields
    )


async def deliver(desk, notice, event_id=None):
    return await desk.running.deliver(
        notice, resource=notice.notice, source="notifications", event_id=event_id
    )


async def renegotiated(desk, count=1):
    """Wait for as many renegotiations."""

    async def enough():
        facts = await desk.facts("PromiseRenegotiated")
        return facts if len(facts) >= count else None

    return await eventually(enough)


async def test_a_customer_who_was_told_has_a_new_promise(desk):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=5)
    notice = sent(desk, made.name)
    event_id = await deliver(desk, notice)
    (fact,) = await renegotiated(desk)
    assert (fact.data.notice, fact.data.reason_code) == (notice.notice, "CARRIER_DELAY")
    assert (fact.causation_id, fact.actor) == (event_id, "service:cases")
    ended = await desk.get(made.name)
    assert (ended.state, ended.notice) == (State.STATE_RENEGOTIATED, notice.notice)
    successor = await desk.get(ended.successor)
    assert (successor.state, successor.due_time) == (State.STATE_OPEN, notice.new_due_time)


async def test_an_event_that_comes_again_is_applied_once(desk):
    first, second = await desk.make(3), await desk.make(3)
    notice = sent(desk, first.name)
    event_id = await deliver(desk, notice)
    await renegotiated(desk)
    await deliver(desk, notice, event_id)
    await deliver(desk, sent(desk, second.name))
    facts = await renegotiated(desk, 2)
    assert [fact.resource for fact in facts] == [first.name, second.name]


async def test_a_second_notice_about_a_renegotiated_promise_changes_nothing(desk):
    first, second = await desk.make(3), await desk.make(3)
    await deliver(desk, sent(desk, first.name))
    (fact,) = await renegotiated(desk)
    await deliver(desk, sent(desk, first.name, new_due_time=timestamp(desk.in_days(8))))
    await deliver(desk, sent(desk, second.name))
    await renegotiated(desk, 2)
    assert (await desk.get(first.name)).successor == fact.data.successor
    assert (await desk.get(fact.data.successor)).state == State.STATE_OPEN


async def test_a_notice_about_a_kept_promise_changes_nothing(desk):
    kept, other = await desk.make(3), await desk.make(3)
    before = await desk.promises.KeepPromise(KeepPromiseRequest(name=kept.name))
    await deliver(desk, sent(desk, kept.name))
    await deliver(desk, sent(desk, other.name))
    await renegotiated(desk)
    assert await desk.get(kept.name) == before


@pytest.mark.parametrize("fields", [{"kind": "survey"}, {"new_due_time": None}, {"promise": ""}])
async def test_other_notices_are_none_of_our_business(desk, fields):
    made, other = await desk.make(3), await desk.make(3)
    await deliver(desk, sent(desk, made.name, **fields))
    await deliver(desk, sent(desk, other.name))
    (fact,) = await renegotiated(desk)
    assert fact.resource == other.name
    assert await desk.get(made.name) == made


async def test_a_forecast_that_came_in_while_the_customer_was_told_is_not_lost(desk):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=5)
    await desk.forecast(work_item.name, days=9)
    await deliver(desk, sent(desk, made.name))
    (fact,) = await renegotiated(desk)
    successor = await desk.get(fact.data.successor)
    assert (successor.state, successor.forecast_time) == (State.STATE_AT_RISK, timestamp(desk.in_days(9)))
