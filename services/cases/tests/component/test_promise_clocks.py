"""Clocks of promises: what is owed to the customer when one is at risk, and when it is broken."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.api.messages import moment, timestamp
from rapport.cases.v1 import clock_policy_pb2, clock_policy_service_pb2
from rapport.cases.v1 import clock_service_pb2 as pb
from rapport.cases.v1 import promise_service_pb2 as promises
from rapport_testing.wait import eventually

HOUR = timedelta(hours=1)
BOTH = NOTIFY, NEXT = "DELAY_NOTIFICATION", "NEXT_PROMISE"
Policy = clock_policy_pb2.ClockPolicy


async def policy(desk: Any, condition: str = "true", *metrics: str) -> None:
    targets = [Policy.Target(metric=f"CLOCK_METRIC_{each}", business_minutes=60) for each in metrics or BOTH]
    sent = Policy(
        department="departments/platform", subject="SUBJECT_PROMISE", condition=condition, targets=targets
    )
    request = clock_policy_service_pb2.CreateClockPolicyRequest(clock_policy_id="owed", clock_policy=sent)
    await desk.clock_policies.CreateClockPolicy(request)


async def states(desk: Any, promise: str) -> list[tuple[str, str]]:
    listed = await desk.clocks.ListClocks(pb.ListClocksRequest(filter=f'promise = "{promise}"'))
    name = clock_policy_pb2.ClockMetric.Name
    return [(name(each.metric).removeprefix("CLOCK_METRIC_"), _state(each)) for each in listed.clocks]


def _state(clock: Any) -> str:
    return type(clock).State.Name(clock.state).removeprefix("STATE_")


async def test_a_promise_at_risk_owes_word_of_it_until_the_customer_was_told(desk):
    await policy(desk)
    item, promise = await desk.promised_work()
    assert await states(desk, promise.name) == []
    await desk.forecast(item.name, 5)
    assert await states(desk, promise.name) == [(NOTIFY, "RUNNING")]
    ([started], [at_risk]) = [await desk.facts(each) for each in ("ClockStarted", "PromiseAtRisk")]
    assert (started.data.promise, started.data.case, started.causation_id) == (
        promise.name,
        item.case,
        at_risk.id,
    )
    assert started.data.department == "departments/delivery"
    request = promises.RecordDelayNotificationRequest(name=promise.name, channel="CHANNEL_VOICE")
    await desk.promises.RecordDelayNotification(request)
    assert await states(desk, promise.name) == [(NOTIFY, "FULFILLED")]


async def test_what_is_not_told_in_time_is_late(desk):
    await policy(desk)
    item, promise = await desk.promised_work()
    await desk.forecast(item.name, 5)
    desk.clock.advance(HOUR)

    async def is_late() -> bool:
        return await states(desk, promise.name) == [(NOTIFY, "BREACHED")]

    assert await eventually(is_late)


async def test_a_promise_that_is_at_risk_no_more_owes_no_word_and_owes_it_again_when_it_is(desk):
    await policy(desk)
    item, promise = await desk.promised_work()
    for days in (5, 2, 6):
        await desk.forecast(item.name, days)
    assert await states(desk, promise.name) == [(NOTIFY, "FULFILLED"), (NOTIFY, "RUNNING")]


async def test_a_broken_promise_owes_another_until_there_is_one_also_without_a_case(desk):
    await policy(desk, "promise.kind == 'delivery'", NEXT)
    promise = await desk.make(0.1)
    desk.clock.advance(48 * HOUR)

    async def is_broken() -> bool:
        return await states(desk, promise.name) == [(NEXT, "RUNNING")]

    assert await eventually(is_broken)
    request = promises.RenegotiatePromiseRequest(
        name=promise.name, due_time=desk.promise(3).due_time, reason_code="no-stock"
    )
    await desk.promises.RenegotiatePromise(request)
    assert await states(desk, promise.name) == [(NEXT, "FULFILLED")]


async def test_who_was_told_of_the_delay_has_no_other_promise_by_that(desk):
    await policy(desk, "true", NEXT)
    promise = await desk.make(1)
    told = promises.RecordDelayNotificationRequest(name=promise.name, channel="CHANNEL_VOICE")
    await desk.promises.RecordDelayNotification(told)
    desk.clock.advance(48 * HOUR)
    await eventually(lambda: desk.facts("PromiseBroken"))
    desk.clock.advance(2 * HOUR)

    async def is_late() -> bool:
        return await states(desk, promise.name) == [(NEXT, "BREACHED")]

    assert await eventually(is_late)
    await desk.promises.RenegotiatePromise(
        promises.RenegotiatePromiseRequest(
            name=promise.name, due_time=desk.promise(3).due_time, reason_code="no-stock"
        )
    )
    listed = await desk.clocks.ListClocks(pb.ListClocksRequest(filter=f'promise = "{promise.name}"'))
    (clock,) = listed.clocks
    assert _state(clock) == "BREACHED"
    assert moment(clock.fulfill_time) == desk.clock.now()


async def test_a_new_date_counts_from_when_a_notice_told_it_however_late_word_of_that_comes(desk):
    await policy(desk, "true", NEXT)
    promise = await desk.make(1)
    desk.clock.advance(48 * HOUR)
    await eventually(lambda: desk.facts("PromiseBroken"))
    told_at = desk.clock.now() + HOUR / 2
    desk.clock.advance(2 * HOUR)
    await desk.tell(promise.name, promise_version=2, tell_time=timestamp(told_at))
    await eventually(lambda: desk.facts("PromiseRenegotiated"))
    assert await states(desk, promise.name) == [(NEXT, "FULFILLED")]


@pytest.mark.parametrize("ends", ["kept", "withdrawn", "told"])
async def test_whatever_ends_a_promise_ends_what_it_owes(desk, ends):
    await policy(desk)
    item, promise = await desk.promised_work()
    await desk.forecast(item.name, 5)
    if ends == "kept":
        await desk.item("Finish", item.name)
    elif ends == "withdrawn":
        await desk.promises.WithdrawPromise(
            promises.WithdrawPromiseRequest(name=promise.name, reason_code="changed-mind")
        )
    else:
        await desk.tell(promise.name, promise_version=2)

        async def is_told() -> bool:
            return (await desk.get(promise.name)).successor != ""

        assert await eventually(is_told)
    assert await states(desk, promise.name) == [(NOTIFY, "FULFILLED")]


async def test_a_promise_that_no_policy_is_about_owes_nothing_by_the_clock(desk):
    await policy(desk, "promise.kind == 'invoice'")
    item, promise = await desk.promised_work()
    await desk.forecast(item.name, 5)
    assert await states(desk, promise.name) == []


async def test_a_promise_has_metrics_of_its_own(desk, violations):
    found = await violations(policy(desk, "true", "RESOLUTION"))
    assert "must be one of DELAY_NOTIFICATION, NEXT_PROMISE" in found["clock_policy.targets[0].metric"]
