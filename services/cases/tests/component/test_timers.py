from datetime import timedelta

import pytest

from cases.service import service
from rapport.cases.v1.promise_service_pb2 import KeepPromiseRequest, WithdrawPromiseRequest
from rapport.common.v1 import states_pb2
from rapport_testing.wait import eventually

State = states_pb2.PromiseState
A_SECOND = timedelta(seconds=1)


async def became(desk, name, state):
    """Wait until the promise is in the state."""
    return await eventually(lambda: is_in(desk, name, state))


async def is_in(desk, name, state):
    promise = await desk.get(name)
    return promise if promise.state == state else None


async def test_a_promise_is_at_risk_a_day_before_it_is_due_and_broken_when_it_is(desk):
    made = await desk.make(3)
    desk.clock.advance(timedelta(days=2))
    at_risk = await became(desk, made.name, State.PROMISE_STATE_AT_RISK)
    assert (at_risk.reason_code, at_risk.HasField("forecast_time")) == ("due-soon", False)
    desk.clock.advance(timedelta(days=1))
    await became(desk, made.name, State.PROMISE_STATE_BROKEN)
    told = await desk.facts("PromiseAtRisk", "PromiseBroken")
    assert [(fact.data.promise, fact.actor, fact.version) for fact in told] == [
        (made.name, "clock", 2),
        (made.name, "clock", 3),
    ]
    assert not told[0].data.HasField("forecast_time")


@pytest.mark.parametrize("verb", ["Assign", "Start", ""])
async def test_a_promise_that_is_due_soon_says_when_nobody_has_taken_its_work(desk, verb):
    item, made = await desk.promised_work(due_days=3)
    if verb == "Assign":
        await desk.item(verb, item.name, assignee=await desk.agent("agents/bob", "departments/delivery"))
    elif verb:
        await desk.item(verb, item.name)
    desk.clock.advance(timedelta(days=2))
    at_risk = await became(desk, made.name, State.PROMISE_STATE_AT_RISK)
    assert at_risk.reason_code == ("due-soon" if verb else "work-unassigned")


async def test_the_clock_acts_at_its_moment_and_not_before(desk):
    near, nearer = await desk.make(3), await desk.make(2)
    desk.clock.advance(timedelta(days=2) - A_SECOND)
    await became(desk, nearer.name, State.PROMISE_STATE_AT_RISK)
    assert (await desk.get(near.name)).state == State.PROMISE_STATE_OPEN


async def test_grace_and_lead_are_settings(start, clock, desk_of):
    desk = desk_of(await start(service, promise_lead_s=3600, promise_grace_s=3600))
    made, later = await desk.make(1), await desk.make(2)
    clock.advance(timedelta(days=1) + A_SECOND)
    await became(desk, made.name, State.PROMISE_STATE_AT_RISK)
    clock.advance(timedelta(hours=1))
    await became(desk, made.name, State.PROMISE_STATE_BROKEN)
    assert (await desk.get(later.name)).state == State.PROMISE_STATE_OPEN


@pytest.mark.parametrize("verb", ["keep", "withdraw"])
async def test_the_clock_ignores_a_promise_that_has_ended(desk, verb):
    made, watched = await desk.make(3), await desk.make(3)
    if verb == "keep":
        ended = await desk.promises.KeepPromise(KeepPromiseRequest(name=made.name))
    else:
        ended = await desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=made.name, reason_code="x"))
    desk.clock.advance(timedelta(days=3))
    await became(desk, watched.name, State.PROMISE_STATE_BROKEN)
    assert await desk.get(made.name) == ended


async def test_word_that_a_broken_promise_was_done_makes_it_kept_after_all(desk):
    made = await desk.make(3)
    desk.clock.advance(timedelta(days=4))
    await became(desk, made.name, State.PROMISE_STATE_BROKEN)
    kept = await desk.promises.KeepPromise(KeepPromiseRequest(name=made.name))
    assert kept.state == State.PROMISE_STATE_KEPT_LATE
