"""Bad news for whom it is too much: a person tells them first, and the message follows."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from prometheus_client import REGISTRY

from chassis.api.messages import moment
from rapport.cases.v1.cases_events_pb2 import PromiseDelayNotified, PromiseRecovered, WorkItemCalled
from rapport.notifications.v1 import notice_pb2
from rapport_testing.wait import eventually

HOUR = timedelta(hours=1)
PROMISE = "promises/0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e61"


@pytest.fixture
async def fragile(desk: Any) -> Any:
    """The desk of a customer who had enough of bad news."""
    desk.peers.calls.reasons = ["promises-slipped", "open-complaint"]
    return desk


async def waits(desk: Any, promise: str = PROMISE) -> notice_pb2.Notice:
    """The notice of a delay, once it waits for a person to call."""

    async def deferred() -> notice_pb2.Notice | None:
        found = await desk.notices_of(promise)
        return found[0] if found and found[0].defer_reason_code == "call-first" else None

    notice = await eventually(deferred)
    assert notice is not None
    return notice


def told_by_person(desk: Any, promise: str = PROMISE) -> Any:
    return PromiseDelayNotified(promise=promise, customer=desk.customer, notifier="agents/sam")


async def last_step(desk: Any, notice: notice_pb2.Notice, step: str = "call") -> Any:
    return [each for each in (await desk.explain(notice.name)).decisions if each.step == step][-1]


async def test_a_person_is_asked_to_call_once_and_the_message_follows_when_they_have(fragile: Any) -> None:
    await fragile.hear(fragile.at_risk(PROMISE))
    notice = await waits(fragile)
    by = fragile.clock.now() + 24 * HOUR
    assert moment(notice.defer_time) == by
    [asked] = await fragile.told("NoticeCallRequested")
    assert (asked.data.notice, asked.data.promise, asked.data.reason_code) == (
        notice.name,
        PROMISE,
        "call-first",
    )
    assert moment(asked.data.call_by_time) == by
    assert "tell the customer first" in (await fragile.explain(notice.name)).summary
    before = uncalled()
    step = await last_step(fragile, notice)
    assert step.inputs["reasons"] == "promises-slipped open-complaint"
    await fragile.running.deliver(told_by_person(fragile), resource=PROMISE, version=3, source="cases")
    sent = await fragile.notice_in("SENT", PROMISE)
    assert sent.name == notice.name
    assert (await last_step(fragile, sent)).reason_code == "called"
    assert len(await fragile.told("NoticeCallRequested")) == 1
    assert len(fragile.mail.accepted) == 1
    assert uncalled() == before


def uncalled() -> float:
    return REGISTRY.get_sample_value("rapport_notices_uncalled_total") or 0.0


async def test_who_nobody_called_in_time_is_sent_the_message_all_the_same(fragile: Any) -> None:
    await fragile.hear(fragile.at_risk(PROMISE))
    await waits(fragile)
    before = uncalled()
    fragile.clock.advance(24 * HOUR)
    sent = await fragile.notice_in("SENT", PROMISE)
    assert (await last_step(fragile, sent)).reason_code == "not-called"
    assert uncalled() == before + 1


async def test_it_is_sent_an_hour_before_the_promise_is_due_and_waits_for_nothing_after(fragile: Any) -> None:
    soon = fragile.at_risk(PROMISE)
    soon.due_time.FromDatetime(fragile.clock.now() + 3 * HOUR)
    await fragile.hear(soon)
    notice = await waits(fragile)
    assert moment(notice.defer_time) == fragile.clock.now() + 2 * HOUR
    late = fragile.at_risk()
    late.due_time.FromDatetime(fragile.clock.now() + HOUR)
    await fragile.hear(late)
    sent = await fragile.notice_in("SENT", late.promise)
    assert (await last_step(fragile, sent)).reason_code == "no-time-to-call"


async def test_who_does_not_want_to_speak_with_us_is_written_to(fragile: Any) -> None:
    await fragile.hear(fragile.at_risk(PROMISE))
    await waits(fragile)
    for outcome in ("NO_ANSWER", "DECLINED"):
        called = WorkItemCalled(
            work_item=f"workItems/{uuid4()}",
            customer=f"customers/{uuid4()}",  # the case's: another name of whose promise it is
            promise=PROMISE,
            outcome=f"CALL_OUTCOME_{outcome}",
        )
        await fragile.running.deliver(called, resource=called.work_item, source="cases")
    sent = await fragile.notice_in("SENT", PROMISE)
    assert (await last_step(fragile, sent)).reason_code == "declined"


async def test_what_is_in_time_again_before_the_call_is_told_by_nobody(fragile: Any) -> None:
    await fragile.hear(fragile.at_risk(PROMISE))
    await waits(fragile)
    await fragile.hear(fragile.about(PromiseRecovered, PROMISE), version=3)
    ended = await fragile.notice_in("SUPPRESSED", PROMISE)
    assert ended.reason_code == "promise-recovered"
    assert fragile.mail.accepted == []


async def test_a_newer_date_waits_for_the_same_call(fragile: Any) -> None:
    await fragile.hear(fragile.at_risk(PROMISE))
    notice = await waits(fragile)
    await fragile.hear(fragile.at_risk(PROMISE, forecast_days=9), version=3)

    async def revised() -> bool:
        found = await waits(fragile)
        return found.variables["new_date"] != notice.variables["new_date"]

    assert await eventually(revised)
    again = await waits(fragile)
    assert (again.name, again.defer_time) == (notice.name, notice.defer_time)
    assert len(await fragile.told("NoticeCallRequested")) == 1


async def test_who_is_called_while_it_is_decided_again_is_sent_it_at_once(fragile: Any) -> None:
    await fragile.hear(fragile.at_risk(PROMISE))
    await waits(fragile)
    directory = fragile.peers.directory
    directory.asked.clear()
    directory.gate.clear()
    await fragile.hear(fragile.at_risk(PROMISE, forecast_days=9), version=3)
    await directory.asked.wait()
    await fragile.running.deliver(told_by_person(fragile), resource=PROMISE, version=4, source="cases")
    directory.gate.set()
    sent = await fragile.notice_in("SENT", PROMISE)
    assert (await last_step(fragile, sent)).reason_code == "called"
    assert len(fragile.mail.accepted) == 1


async def test_a_policy_may_do_without_a_call(fragile: Any) -> None:
    await fragile.update_policy("promise-at-risk", call_first="CALL_FIRST_NEVER")
    await fragile.hear(fragile.at_risk(PROMISE))
    sent = await fragile.notice_in("SENT", PROMISE)
    assert "call" not in [each.step for each in (await fragile.explain(sent.name)).decisions]


async def test_a_policy_may_have_everybody_called(desk: Any) -> None:
    await desk.update_policy("promise-at-risk", call_first="CALL_FIRST_ALWAYS")
    await desk.hear(desk.at_risk(PROMISE))
    notice = await waits(desk)
    assert (await last_step(desk, notice)).inputs["reasons"] == "policy"
    await desk.running.deliver(told_by_person(desk), resource=PROMISE, version=3, source="cases")
    sent = await desk.notice_in("SENT", PROMISE)
    assert (await last_step(desk, sent)).reason_code == "called"


@pytest.mark.parametrize("event_type", ["cases.v1.PromiseRecovered", "loyalty.v1.TierUpgraded"])
async def test_only_before_a_delay_somebody_calls(desk: Any, event_type: str) -> None:
    policy = desk.create_policy("calls", event_type=f"rapport.{event_type}", call_first="CALL_FIRST_NEVER")
    assert await desk.violations(policy) == {"notice_policy.call_first": "INVALID_CODE"}


async def test_a_release_that_does_not_know_of_calls_keeps_nothing_back_and_one_that_is_away_does(
    fragile: Any,
) -> None:
    fragile.peers.calls.failure = grpc.StatusCode.UNIMPLEMENTED
    await fragile.hear(fragile.at_risk(PROMISE))
    await fragile.notice_in("SENT", PROMISE)
    fragile.peers.calls.failure = grpc.StatusCode.UNAVAILABLE
    other = fragile.at_risk()
    await fragile.hear(other)

    async def tried() -> bool:
        found = await fragile.notices_of(other.promise)
        return bool(found and found[0].attempt_count)

    assert await eventually(tried)
    fragile.peers.calls.failure, fragile.peers.calls.reasons = None, []
    fragile.clock.advance(HOUR)
    await fragile.notice_in("SENT", other.promise)
