"""What notices told customers: one end whatever comes first, and only a policy moves a promise."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis import ids
from chassis.api.messages import timestamp
from rapport.cases.v1.promise_service_pb2 import KeepPromiseRequest, WithdrawPromiseRequest
from rapport.cases.v1.work_item_service_pb2 import FinishWorkItemRequest
from rapport.common.v1 import states_pb2
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

State = states_pb2.PromiseState


async def renegotiated(desk, count=1):
    """Wait for as many renegotiations."""

    async def enough():
        facts = await desk.facts("PromiseRenegotiated")
        return facts if len(facts) >= count else None

    return await eventually(enough)


async def handled(desk):
    """Wait until everything that was delivered is handled: word about another promise is the last."""
    other = await desk.make(3)
    await desk.tell(other.name)
    await eventually(lambda: _moved(desk, other.name))


async def _moved(desk, name):
    return bool((await desk.get(name)).successor)


async def test_a_customer_who_was_told_has_a_new_promise(desk):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=5)
    event_id = ids.uuid7(desk.clock.now())
    told = await desk.tell(made.name, event_id, promise_version=2)
    (fact,) = await renegotiated(desk)
    assert (fact.data.reason_code, fact.data.state) == ("carrier-delay", State.PROMISE_STATE_RENEGOTIATED)
    assert (fact.causation_id, fact.actor) == (event_id, "service:cases")
    ended = await desk.get(made.name)
    assert (ended.state, ended.notice) == (State.PROMISE_STATE_RENEGOTIATED, fact.data.notice)
    successor = await desk.get(ended.successor)
    assert (successor.state, successor.due_time) == (State.PROMISE_STATE_OPEN, told.new_due_time)


async def test_an_event_that_comes_again_is_applied_once(desk):
    first, event_id = await desk.make(3), ids.uuid7(desk.clock.now())
    for _ in range(2):
        await desk.tell(first.name, event_id)
    await handled(desk)
    assert len([fact for fact in await renegotiated(desk, 2) if fact.resource == first.name]) == 1


async def test_a_second_notice_about_a_renegotiated_promise_changes_nothing(desk):
    first = await desk.make(3)
    await desk.tell(first.name)
    (fact,) = await renegotiated(desk)
    await desk.tell(first.name, promise_version=2, new_due_time=timestamp(desk.in_days(8)))
    await handled(desk)
    assert (await desk.get(first.name)).successor == fact.data.successor
    assert (await desk.get(fact.data.successor)).state == State.PROMISE_STATE_OPEN


@pytest.mark.alone("it moves the clock")
@pytest.mark.parametrize("verb", ["keep", "withdraw"])
async def test_what_ended_before_the_customer_was_told_stays_as_it_is(desk, verb):
    made = await desk.make(3)
    if verb == "keep":
        before = await desk.promises.KeepPromise(KeepPromiseRequest(name=made.name))
    else:
        request = WithdrawPromiseRequest(name=made.name, reason_code="customer-cancelled")
        before = await desk.promises.WithdrawPromise(request)
    desk.clock.advance(timedelta(minutes=1))
    await desk.tell(made.name)
    await handled(desk)
    assert await desk.get(made.name) == before


async def test_a_notice_that_tells_of_no_promise_moves_none_whatever_its_kind(desk):
    made = await desk.make(3)
    await desk.sent(made.name)
    await handled(desk)
    assert await desk.get(made.name) == made


@pytest.mark.parametrize("fields", [{"customer": f"customers/{uuid4()}"}, {"promise_version": 7}])
async def test_a_telling_of_another_customer_or_version_moves_no_promise(desk, fields):
    made = await desk.make(3)
    await desk.tell(made.name, **fields)
    await handled(desk)
    assert await desk.get(made.name) == made


async def test_a_forecast_that_came_in_while_the_customer_was_told_is_not_lost(desk):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=5)
    await desk.forecast(work_item.name, days=9)
    await desk.tell(made.name, promise_version=2)
    (fact,) = await renegotiated(desk)
    successor = await desk.get(fact.data.successor)
    assert (successor.state, successor.forecast_time) == (
        State.PROMISE_STATE_AT_RISK,
        timestamp(desk.in_days(9)),
    )


@pytest.mark.alone("it moves the clock")
async def test_word_that_comes_after_the_due_timer_still_makes_the_successor_with_its_clock(desk):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=6)
    told_at, new_due = timestamp(desk.clock.now()), timestamp(desk.in_days(6))
    desk.clock.advance(timedelta(days=4))
    await eventually(lambda: desk.facts("PromiseBroken"))
    await desk.tell(made.name, promise_version=2, new_due_time=new_due, tell_time=told_at)
    (fact,) = await renegotiated(desk)
    assert fact.data.state == State.PROMISE_STATE_RENEGOTIATED
    ended = await desk.get(made.name)
    successor = await desk.get(ended.successor)
    assert (ended.state, successor.due_time) == (State.PROMISE_STATE_RENEGOTIATED, new_due)
    desk.clock.advance(timedelta(days=3))
    await eventually(lambda: _in(desk, successor.name, State.PROMISE_STATE_BROKEN))


@pytest.mark.alone("it moves the clock")
async def test_a_customer_told_late_has_a_successor_and_the_promise_stays_broken(desk):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=6)
    new_due = timestamp(desk.in_days(6))
    desk.clock.advance(timedelta(days=4))
    await eventually(lambda: desk.facts("PromiseBroken"))
    await desk.tell(made.name, promise_version=3, new_due_time=new_due)
    (fact,) = await renegotiated(desk)
    assert (fact.data.state, fact.data.new_due_time, fact.data.root) == (
        State.PROMISE_STATE_BROKEN,
        new_due,
        made.name,
    )
    broken = await desk.get(made.name)
    successor = await desk.get(broken.successor)
    assert (broken.state, successor.state) == (State.PROMISE_STATE_BROKEN, State.PROMISE_STATE_OPEN)
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=work_item.name))
    assert (await desk.get(made.name)).state == State.PROMISE_STATE_BROKEN
    assert (await desk.get(successor.name)).state == State.PROMISE_STATE_KEPT


@pytest.mark.alone("it moves the clock")
async def test_word_that_comes_after_the_work_was_done_makes_a_successor_that_was_kept(desk):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=6)
    told_at, new_due = timestamp(desk.clock.now()), timestamp(desk.in_days(6))
    desk.clock.advance(timedelta(days=5))
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=work_item.name))
    assert (await desk.get(made.name)).state == State.PROMISE_STATE_KEPT_LATE
    await desk.tell(made.name, promise_version=2, new_due_time=new_due, tell_time=told_at)
    await renegotiated(desk)
    ended = await desk.get(made.name)
    successor = await desk.get(ended.successor)
    assert (ended.state, ended.HasField("keep_time")) == (State.PROMISE_STATE_RENEGOTIATED, False)
    assert (successor.state, successor.keep_time) == (State.PROMISE_STATE_KEPT, timestamp(desk.clock.now()))


async def _in(desk, name, state):
    return (await desk.get(name)).state == state
